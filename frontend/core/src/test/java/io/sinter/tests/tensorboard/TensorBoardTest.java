// SPDX-License-Identifier: Apache-2.0
package io.sinter.tests.tensorboard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sinter.Tensor;
import io.sinter.tensorboard.SummaryWriter;
import io.sinter.tensorboard.WriterOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TensorBoard itself reads what the writer writes, where a Python that has it is named by {@code SINTER_TENSORBOARD_PYTHON}. */
class TensorBoardTest {
    private static final String PYTHON = System.getenv("SINTER_TENSORBOARD_PYTHON");

    private static final String READ = """
            import sys
            from tensorboard.backend.event_processing import event_accumulator as ea
            from tensorboard.plugins.hparams import plugin_data_pb2
            from tensorboard.util import tensor_util
            a = ea.EventAccumulator(sys.argv[1], size_guidance={k: 0 for k in ('scalars', 'histograms', 'images', 'tensors')})
            a.Reload()
            for t in sorted(a.Tags()['scalars']):
                print('scalar', t, [(e.step, round(e.value, 4)) for e in a.Scalars(t)])
            for t in a.Tags()['histograms']:
                for e in a.Histograms(t):
                    h = e.histogram_value
                    print('histogram', t, e.step, h.min, h.max, h.num, h.sum, sum(h.bucket), len(h.bucket) == len(h.bucket_limit))
            for t in a.Tags()['images']:
                for e in a.Images(t):
                    print('image', t, e.step, e.width, e.height, e.encoded_image_string[:4])
            for t in a.Tags()['tensors']:
                for e in a.Tensors(t):
                    print('text', t, e.step, tensor_util.make_ndarray(e.tensor_proto).item().decode())
            content = a.PluginTagToContent('hparams')
            data = plugin_data_pb2.HParamsPluginData.FromString(content['_hparams_/session_start_info'])
            print('hparams', sorted((k, v.WhichOneof('kind'), getattr(v, v.WhichOneof('kind'))) for k, v in data.session_start_info.hparams.items()))
            data = plugin_data_pb2.HParamsPluginData.FromString(content['_hparams_/experiment'])
            print('metrics', [i.name.tag for i in data.experiment.metric_infos], [i.name for i in data.experiment.hparam_infos])
            data = plugin_data_pb2.HParamsPluginData.FromString(content['_hparams_/session_end_info'])
            print('end', data.session_end_info.status)
            """;

    @BeforeAll
    static void find() {
        assumeTrue(
                PYTHON != null,
                "SINTER_TENSORBOARD_PYTHON names no Python with TensorBoard (python3 -m venv V; V/bin/pip install tensorboard)");
    }

    @Test
    void tensorBoardReadsIt(@TempDir Path folder) throws IOException, InterruptedException {
        try (SummaryWriter w = new SummaryWriter(folder)) {
            for (int i = 0; i < 5; i++) w.addScalar("loss", 10 - i, i);
        }
        Thread.sleep(1100); // files go by the second of their name
        try (SummaryWriter w = new SummaryWriter(folder, WriterOptions.DEFAULT.withPurgeStep(3))) {
            w.addScalar("loss", 0.5, 3);
            w.addHistogram("weights", new double[] {-2, 0, 0.5, 3}, 3);
            w.addImage("picture", Tensor.zeros(3, 4, 5), 3);
            w.addImages("batch", Tensor.zeros(10, 3, 4, 5), 3);
            w.addText("notes", "größer", 3);
            w.addHparams(Map.of("lr", 0.1, "bn", true, "opt", "sgd"), Map.of("accuracy", 0.75));
        }
        Path script = folder.resolve("read.py");
        Files.writeString(script, READ);
        Process p = new ProcessBuilder(PYTHON, script.toString(), folder.toString())
                .redirectError(folder.resolve("errors").toFile())
                .start();
        String said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String errors = Files.exists(folder.resolve("errors")) ? Files.readString(folder.resolve("errors")) : "";
        assertEquals(0, p.waitFor(), said + errors);
        for (String line : List.of(
                // Steps 3 and 4 of the first run are void.
                "scalar loss [(0, 10.0), (1, 9.0), (2, 8.0), (3, 0.5)]",
                "scalar accuracy [(0, 0.75)]",
                "histogram weights 3 -2.0 3.0 4.0 1.5 4.0 True",
                "image picture 3 5 4 b'\\x89PNG'",
                "image batch 3 58 14 b'\\x89PNG'",
                "text notes/text_summary 3 größer",
                "hparams [('bn', 'bool_value', True), ('lr', 'number_value', 0.1), ('opt', 'string_value', 'sgd')]",
                "metrics ['accuracy']",
                "end 1")) assertTrue(said.contains(line), line + " in\n" + said + errors);
    }
}
