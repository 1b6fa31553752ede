/* SPDX-License-Identifier: Apache-2.0
 *
 * A stand-in for CUDA's driver library, for tests of the host's side on machines without a GPU: what CudaDriver calls, on host memory, done at
 * once. One GPU of 1 MB; kernels "increment" (adds its second parameter to the int at its first), "mapped" (a number made of its third, a map) and "fault". Built by the test with cc.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int R;
enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_PTX = 218, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700, CAPTURING = 900 };

#define LARGEST (1 << 20)
struct op { int kind; uintptr_t a, b, n; };          /* 0 copy, 1 fill, 2 increment */
struct stream { int capturing; int count; struct op ops[64]; };
struct event { int recorded; long stamp; };
struct module { char text[65536]; };
static int context, current_set;
static long stamps;
static int poisoned;

R cuInit(unsigned flags) { return flags == 0 ? OK : INVALID_VALUE; }
R cuDriverGetVersion(int *v) { *v = 12040; return OK; }
R cuGetErrorName(R r, const char **name)
{
    *name = r == INVALID_VALUE ? "CUDA_ERROR_INVALID_VALUE" : r == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY"
        : r == INVALID_PTX ? "CUDA_ERROR_INVALID_PTX" : r == NOT_FOUND ? "CUDA_ERROR_NOT_FOUND"
        : r == ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS" : r == CAPTURING ? "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED" : 0;
    return *name ? OK : INVALID_VALUE;
}
R cuDeviceGetCount(int *n) { *n = 1; return OK; }
R cuDeviceGet(int *d, int i) { *d = i; return i == 0 ? OK : INVALID_VALUE; }
R cuDeviceGetName(char *name, int n, int d) { (void)d; strncpy(name, "Fake GPU", n); return OK; }
R cuDeviceGetAttribute(int *v, int which, int d)
{
    (void)d;
    switch (which) {
    case 75: *v = 9; return OK;    /* compute capability, major */
    case 76: *v = 0; return OK;
    case 16: *v = 7; return OK;    /* multiprocessors */
    case 97: *v = 200000; return OK; /* shared memory of a block, opted in */
    default: return INVALID_VALUE;
    }
}
R cuDevicePrimaryCtxRetain(void **c, int d) { *c = &context; return d == 0 ? OK : INVALID_VALUE; }
R cuDevicePrimaryCtxRelease_v2(int d) { (void)d; return OK; }
R cuCtxSetCurrent(void *c) { current_set = c == &context; return current_set ? OK : INVALID_VALUE; }
/* Streams that are captured: nobody may wait for the context then. */
static int captures;
R cuCtxSynchronize(void) { return captures ? CAPTURING : poisoned ? ILLEGAL_ADDRESS : OK; }
R cuMemGetInfo_v2(size_t *free, size_t *total) { *free = *total = LARGEST; return OK; }
R cuMemAlloc_v2(uintptr_t *p, size_t n)
{
    if (n > LARGEST) return OUT_OF_MEMORY;
    *p = (uintptr_t)aligned_alloc(256, (n + 255) / 256 * 256);
    return OK;
}
R cuMemFree_v2(uintptr_t p) { free((void *)p); return OK; }
R cuMemAllocHost_v2(void **p, size_t n) { *p = aligned_alloc(256, (n + 255) / 256 * 256); return OK; }
R cuMemFreeHost(void *p) { free(p); return OK; }

static R run(struct op o)
{
    if (o.kind == 0) memmove((void *)o.a, (void *)o.b, o.n);
    if (o.kind == 1) memset((void *)o.a, (int)o.b, o.n);
    if (o.kind == 2) *(int *)o.a += (int)o.b;
    return OK;
}
static R queue(struct stream *s, int kind, uintptr_t a, uintptr_t b, uintptr_t n)
{
    struct op o = { kind, a, b, n };
    if (!s->capturing) return run(o);
    if (s->count == 64) return OUT_OF_MEMORY;
    s->ops[s->count++] = o;
    return OK;
}
R cuMemcpyHtoDAsync_v2(uintptr_t to, const void *from, size_t n, struct stream *s) { return queue(s, 0, to, (uintptr_t)from, n); }
R cuMemcpyDtoHAsync_v2(void *to, uintptr_t from, size_t n, struct stream *s) { return queue(s, 0, (uintptr_t)to, from, n); }
R cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t n, struct stream *s) { return queue(s, 0, to, from, n); }
R cuMemsetD8Async(uintptr_t to, unsigned char v, size_t n, struct stream *s) { return queue(s, 1, to, v, n); }

R cuStreamCreate(struct stream **s, unsigned flags) { *s = calloc(1, sizeof **s); return flags == 1 ? OK : INVALID_VALUE; }
R cuStreamDestroy_v2(struct stream *s) { free(s); return OK; }
R cuStreamSynchronize(struct stream *s) { return s->capturing ? CAPTURING : poisoned ? ILLEGAL_ADDRESS : OK; }
R cuStreamWaitEvent(struct stream *s, struct event *e, unsigned flags) { (void)s; (void)e; return flags == 0 ? OK : INVALID_VALUE; }
R cuStreamBeginCapture_v2(struct stream *s, int mode)
{
    if (s->capturing || mode != 1) return INVALID_VALUE;
    s->capturing = 1;
    captures++;
    s->count = 0;
    return OK;
}
R cuStreamEndCapture(struct stream *s, struct stream **g)
{
    if (!s->capturing) return INVALID_VALUE;
    s->capturing = 0;
    captures--;
    *g = malloc(sizeof **g);
    **g = *s;
    return OK;
}
R cuGraphInstantiateWithFlags(struct stream **exec, struct stream *g, unsigned long long flags)
{
    *exec = malloc(sizeof **exec);
    **exec = *g;
    return flags == 0 ? OK : INVALID_VALUE;
}
R cuGraphDestroy(struct stream *g) { free(g); return OK; }
R cuGraphExecDestroy(struct stream *g) { free(g); return OK; }
R cuGraphLaunch(struct stream *g, struct stream *s)
{
    for (int i = 0; i < g->count; i++) queue(s, g->ops[i].kind, g->ops[i].a, g->ops[i].b, g->ops[i].n);
    return OK;
}

R cuEventCreate(struct event **e, unsigned flags) { *e = calloc(1, sizeof **e); return flags == 0 ? OK : INVALID_VALUE; }
R cuEventDestroy_v2(struct event *e) { free(e); return OK; }
R cuEventRecord(struct event *e, struct stream *s) { (void)s; e->recorded = 1; e->stamp = ++stamps; return OK; }
R cuEventQuery(struct event *e) { return e->recorded == 2 ? NOT_READY : poisoned ? ILLEGAL_ADDRESS : OK; }
R cuEventSynchronize(struct event *e) { (void)e; return poisoned ? ILLEGAL_ADDRESS : OK; }
R cuEventElapsedTime(float *ms, struct event *a, struct event *b)
{
    if (!a->recorded || !b->recorded) return INVALID_VALUE;
    *ms = (float)(b->stamp - a->stamp);
    return OK;
}

/* A cubin is the text behind this. */
static const char ELF[] = "\177ELF";
/* What the driver's assembler is given for its messages. */
enum { LOG_BYTES = 16 * 1024 };
static char *log_of(unsigned n, int *options, void **values)
{
    for (unsigned i = 0; i < n; i++) if (options[i] == 5) return values[i];
    return 0;
}
static R assembled(const char *text, char *log)
{
    if (strncmp(text, ".version", 8) == 0) return OK;
    if (log) strcpy(log, "ptxas application ptx input, line 1; fatal: Missing .version directive");
    return INVALID_PTX;
}
R cuModuleLoadDataEx(struct module **m, const char *text, unsigned n, int *options, void **values)
{
    if (strncmp(text, ELF, 4) == 0) text += 4;
    R r = assembled(text, log_of(n, options, values));
    if (r != OK) return r;
    *m = calloc(1, sizeof **m);
    strncpy((*m)->text, text, sizeof (*m)->text - 1);
    return OK;
}
/* The linker writes messages to where it was told at first, also the last ones; the cubin is its own memory. */
struct link { char image[65536]; char *log; };
static int links;
R cuLinkCreate_v2(unsigned n, int *options, void **values, struct link **l)
{
    *l = calloc(1, sizeof **l);
    (*l)->log = log_of(n, options, values);
    links++;
    return OK;
}
R cuLinkAddData_v2(struct link *l, int type, const char *data, size_t size, const char *name, unsigned n, int *options, void **values)
{
    (void)name; (void)options; (void)values;
    if (type != 1 || n != 0 || size == 0 || size > 60000 || data[size - 1] != 0) return INVALID_VALUE;
    R r = assembled(data, l->log);
    if (r == OK) snprintf(l->image, sizeof l->image, "%s%s", ELF, data);
    return r;
}
R cuLinkComplete(struct link *l, void **cubin, size_t *size) { if (l->log) memset(l->log, 0, LOG_BYTES); *cubin = l->image; *size = strlen(l->image) + 1; return OK; }
R cuLinkDestroy(struct link *l) { memset(l, 'x', sizeof *l); free(l); links--; return OK; }
/* For the test: linkers that nobody has given back. */
int fake_links(void) { return links; }
R cuModuleUnload(struct module *m) { free(m); return OK; }
R cuModuleGetFunction(const char **f, struct module *m, const char *name)
{
    char entry[256];
    snprintf(entry, sizeof entry, ".entry %s(", name);
    if (!strstr(m->text, entry)) return NOT_FOUND;
    *f = strcmp(name, "fault") == 0 ? "fault" : strcmp(name, "mapped") == 0 ? "mapped" : "increment";
    return OK;
}
/* A map holds what it was made of. */
struct map { uint64_t address, dims[5], strides[4]; uint32_t type, rank, box[5]; };
R cuTensorMapEncodeTiled(struct map *m, int type, unsigned rank, void *address, const uint64_t *dims, const uint64_t *strides,
                         const uint32_t *box, const uint32_t *steps, int interleave, int swizzle, int promotion, int fill)
{
    if ((uintptr_t)m % 64 || rank < 1 || rank > 5 || (uintptr_t)address % 16 || interleave != 0 || swizzle != 3 || promotion != 3 || fill != 0)
        return INVALID_VALUE;
    memset(m, 0, sizeof *m);
    m->address = (uintptr_t)address;
    m->type = type;
    m->rank = rank;
    for (unsigned d = 0; d < rank; d++) {
        if (steps[d] != 1) return INVALID_VALUE;
        m->dims[d] = dims[d];
        m->box[d] = box[d];
        if (d > 0) m->strides[d - 1] = strides[d - 1];
    }
    return OK;
}
static int shared_allowed = 48 * 1024;
R cuFuncSetAttribute(const char *f, int which, int v) { (void)f; if (which == 8) shared_allowed = v; return which == 8 ? OK : INVALID_VALUE; }
R cuLaunchKernel(const char *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                 struct stream *s, void **params, void **extra)
{
    if (!current_set || extra || gx != 1 || gy != 2 || gz != 1 || bx != 3 || by != 4 || bz != 1 || (int)shared > shared_allowed) return INVALID_VALUE;
    if (strcmp(f, "fault") == 0) {
        poisoned = 1;
        return OK;
    }
    if (strcmp(f, "mapped") == 0) {
        const struct map *m = params[2];
        int sum = 0;
        for (unsigned d = 0; d < m->rank; d++) sum = 31 * sum + (int)(m->dims[d] + m->box[d] + (d > 0 ? m->strides[d - 1] : 0));
        *(int *)*(uintptr_t *)params[0] = sum + (int)m->type + (int)(m->address & 0xff);
        return OK;
    }
    return queue(s, 2, *(uintptr_t *)params[0], *(uintptr_t *)params[1], 0);
}
/* For the test: the fault is over. */
void fake_heal(void) { poisoned = 0; }
