// SPDX-License-Identifier: Apache-2.0

// One page of a headless Chromium, driven by playwright-core for Browser.java: a command on each line of standard input, its answer on a line of
// standard output, both JSON. Arguments: the folder of playwright-core, the Chromium to start.

const readline = require('node:readline');
const {chromium} = require(process.argv[2]);

(async () => {
  const browser = await chromium.launch({executablePath: process.argv[3], args: ['--disable-gpu']});
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  let happened = [];
  page.on('request', r => happened.push(r.url()));
  page.on('pageerror', e => happened.push(String(e)));
  page.on('console', m => happened.push(m.text()));
  const commands = {
    open: async ({url, width, height}) => {
      await page.setViewportSize({width, height});
      happened = [];
      await page.goto(url);
      await page.waitForFunction('window.sinter');
    },
    eval: ({expression}) => page.evaluate(expression),
    await: async ({expression}) => {
      await page.waitForFunction(expression);
    },
    click: ({selector}) => page.locator(selector).first().click(),
    clickAt: ({x, y, times}) => page.mouse.click(x, y, {clickCount: times}),
    key: ({key}) => page.keyboard.press(key),
    type: ({text}) => page.keyboard.insertText(text),
    screenshot: async ({file}) => {
      await page.screenshot({path: file});
    },
    happened: () => happened,
  };
  for await (const line of readline.createInterface({input: process.stdin})) {
    const {command, ...args} = JSON.parse(line);
    let answer;
    try {
      answer = {value: (await commands[command](args)) ?? null};
    } catch (e) {
      answer = {error: String(e)};
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
  await browser.close();
})();
