// SPDX-License-Identifier: Apache-2.0
'use strict';

const program = JSON.parse(document.getElementById('program').textContent);
const packed = JSON.parse(document.getElementById('texts').textContent);
const $ = id => document.getElementById(id);

/** The text of a file of the dump; they are kept compressed until somebody looks. */
async function text(file) {
  if (!(file in packed)) return '';
  const bytes = Uint8Array.from(atob(packed[file]), c => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).text();
}

function element(tag, properties, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

const number = n => n.toLocaleString('en');
const nodes = program.nodes;
const byId = new Map(nodes.map((n, i) => [n.id, Object.assign(n, {index: i})]));
const kernels = program.kernels || [];
const name = k => k.file.replace(/^kernels\//, '').replace(/\.loop$/, '');

// ---- groups: networks and their parts; what is in none goes by its line

for (const n of nodes) {
  n.path = n.net ? [n.net, ...(n.module ? n.module.split('.') : [])] : n.line ? [n.line] : [];
  n.argument = n.op === 'input' || n.op === 'scalar';
}
const root = {name: '', path: '', children: new Map(), count: 0};
for (const n of nodes) {
  if (n.argument) continue;
  let at = root;
  at.count++;
  for (const part of n.path) {
    if (!at.children.has(part)) {
      const path = at.path ? at.path + '/' + part : part;
      at.children.set(part, {name: part, path, children: new Map(), count: 0});
    }
    at = at.children.get(part);
    at.count++;
  }
}
/** Paths of groups whose contents are shown. */
const open = new Set();
for (const g of root.children.values()) if (g.children.size > 0 || g.count <= 12 && nodes.length < 500) open.add(g.path);

function everyGroup(visit, at = root) {
  for (const g of at.children.values()) {
    visit(g);
    everyGroup(visit, g);
  }
}

// ---- the picture: boxes in layers, below what they read

const HEIGHT = 44, GAP_X = 18, GAP_Y = 46, FONT = 13, LEAST_FONT = 12, SHALLOW = 5;
const canvas = $('canvas');
const pen = canvas.getContext('2d');
let boxes = [], edges = [], layers = [], view = {x: 0, y: 0, zoom: 1};
const chosen = new Set();
let current = null;
let showArguments = false;

/** The group that stands for a node, or null if the node is shown itself. */
function closedGroup(n) {
  let path = '';
  for (const part of n.path) {
    path = path ? path + '/' + part : part;
    if (!open.has(path)) return path;
  }
  return null;
}

/**
 * A group whose nodes are needed by others that it needs again (a layer and its gradient) is shown once for each visit, or the picture would have
 * circles: a node's visit is one more than that of any node of its group that it needs by way of another group.
 */
function visits() {
  const seen = new Map();
  const visit = new Map();
  for (const n of nodes) {
    if (n.argument) continue;
    const own = closedGroup(n);
    const all = new Map();
    let mine = 0;
    for (const id of n.inputs) {
      const from = byId.get(id);
      if (!seen.has(from)) continue;
      for (const [g, v] of seen.get(from)) if (!(all.get(g) >= v)) all.set(g, v);
      if (own === null) continue;
      if (closedGroup(from) === own) mine = Math.max(mine, visit.get(from));
      else if (seen.get(from).has(own)) mine = Math.max(mine, seen.get(from).get(own) + 1);
    }
    visit.set(n, mine);
    if (own !== null && !(all.get(own) >= mine)) all.set(own, mine);
    seen.set(n, all);
  }
  return visit;
}

function layOut() {
  const visit = visits();
  const found = new Map();
  const boxOf = new Map();
  for (const n of nodes) {
    if (n.argument && !showArguments) continue;
    const group = n.argument ? null : closedGroup(n);
    const key = group === null ? n.id : group + '#' + visit.get(n);
    let b = found.get(key);
    if (!b) {
      b = {key, group, visit: visit.get(n) || 0, nodes: [], from: new Set(), to: new Set(), order: n.index, level: 0};
      found.set(key, b);
    }
    b.nodes.push(n);
    boxOf.set(n.id, b);
  }
  boxes = [...found.values()];
  edges = [];
  for (const n of nodes) {
    const b = boxOf.get(n.id);
    for (const id of n.inputs) {
      const from = boxOf.get(id);
      if (b && from && from !== b && !b.from.has(from)) {
        b.from.add(from);
        from.to.add(b);
        edges.push({from, to: b});
      }
    }
  }
  label();
  level();
  place();
  $('count').textContent = number(boxes.length) + ' boxes for ' + number(root.count) + ' nodes';
}

function label() {
  pen.font = FONT + 'px ui-monospace, monospace';
  for (const b of boxes) {
    const n = b.nodes[0];
    if (b.group === null) {
      b.label = n.id + ' ' + n.op;
      b.second = n.types[0];
      b.kernel = n.kernels ? n.kernels[0] : -1;
    } else {
      const part = b.group.includes('.java:') ? b.group : b.group.slice(b.group.indexOf('/') + 1).replaceAll('/', '.');
      b.label = '\u25b8 ' + part + (b.visit ? ' (' + (b.visit + 1) + ')' : '');
      b.second = b.nodes.length + ' nodes, ' + new Set(b.nodes.flatMap(x => x.kernels || [])).size + ' kernels';
      b.kernel = -1;
    }
    b.width = Math.min(300, Math.max(90, Math.max(pen.measureText(b.label).width, pen.measureText(b.second).width) + 18));
  }
}

/** The longest way from what needs nothing; edges that would close a circle are passed over. */
function level() {
  const waiting = new Map(boxes.map(b => [b, b.from.size]));
  const sorted = [...boxes].sort((a, b) => a.order - b.order);
  const ready = sorted.filter(b => b.from.size === 0);
  const done = new Set();
  let next = 0;
  for (let i = 0; done.size < boxes.length; i++) {
    while (i >= ready.length) {
      const b = sorted[next++];
      if (!done.has(b)) ready.push(b);
    }
    const b = ready[i];
    if (done.has(b)) continue;
    done.add(b);
    for (const t of b.to) {
      if (done.has(t)) continue;
      t.level = Math.max(t.level, b.level + 1);
      waiting.set(t, waiting.get(t) - 1);
      if (waiting.get(t) === 0) ready.push(t);
    }
  }
  // What needs next to nothing (a constant, a view of a weight) stands right above the first that needs it.
  for (const b of ready) b.depth = b.from.size === 0 ? 0 : 1 + Math.max(...[...b.from].map(f => f.depth || 0));
  for (const b of [...boxes].sort((x, y) => y.level - x.level)) {
    if (b.depth > SHALLOW || b.to.size === 0) continue;
    b.level = Math.max(b.level, Math.min(...[...b.to].map(t => t.level)) - 1);
  }
}

function place() {
  layers = [];
  for (const b of boxes) (layers[b.level] ||= []).push(b);
  layers = Array.from(layers, l => l || []);
  for (const l of layers) l.sort((a, b) => a.order - b.order);
  const spread = l => {
    let x = 0;
    for (const b of l) {
      b.x = x;
      x += b.width + GAP_X;
    }
    for (const b of l) b.x -= x / 2;
  };
  layers.forEach(spread);
  const middle = set => {
    let sum = 0;
    for (const o of set) sum += o.x + o.width / 2;
    return sum / set.size;
  };
  for (let round = 0; round < 4; round++) {
    const down = round % 2 === 0;
    for (const l of down ? layers : [...layers].reverse()) {
      for (const b of l) {
        const others = down ? b.from : b.to;
        b.wish = others.size ? middle(others) : b.x + b.width / 2;
      }
      l.sort((a, b) => a.wish - b.wish || a.order - b.order);
      spread(l);
    }
  }
  layers.forEach((l, i) => l.forEach(b => { b.y = i * (HEIGHT + GAP_Y); }));
}

function colour(variable) {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

let palette = {};
function readPalette() {
  for (const v of ['back', 'text', 'accent', 'edge', 'box', 'box-saturation', 'panel']) palette[v] = colour('--' + v);
}

/** A box's colour: that of its kernel. */
function fill(kernel) {
  return kernel < 0 ? palette.panel : `hsl(${kernel * 47 % 360} ${palette['box-saturation']} ${palette.box})`;
}

function shortened(t, width) {
  if (pen.measureText(t).width <= width) return t;
  let n = Math.max(1, Math.floor(t.length * width / pen.measureText(t).width));
  while (n > 1 && pen.measureText(t.slice(0, n) + '\u2026').width > width) n--;
  return t.slice(0, n) + '\u2026';
}

let queued = false;
function draw() {
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => {
    queued = false;
    paint();
  });
}

function paint() {
  const ratio = devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio);
    canvas.height = Math.round(h * ratio);
  }
  const {x, y, zoom} = view;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = palette.back;
  pen.fillRect(0, 0, w, h);
  const sx = v => (v - x) * zoom, sy = v => (v - y) * zoom;
  const left = x, right = x + w / zoom, top = y, bottom = y + h / zoom;
  pen.strokeStyle = palette.edge;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const e of edges) {
    const x1 = e.from.x + e.from.width / 2, y1 = e.from.y + HEIGHT, x2 = e.to.x + e.to.width / 2, y2 = e.to.y;
    if (Math.max(y1, y2) < top || Math.min(y1, y2) > bottom || Math.max(x1, x2) < left || Math.min(x1, x2) > right) continue;
    pen.moveTo(sx(x1), sy(y1));
    if (zoom > 0.35) pen.bezierCurveTo(sx(x1), sy(y1 + GAP_Y / 2), sx(x2), sy(y2 - GAP_Y / 2), sx(x2), sy(y2));
    else pen.lineTo(sx(x2), sy(y2));
  }
  pen.stroke();
  const size = FONT * zoom;
  const legible = size >= LEAST_FONT;
  pen.font = size + 'px ui-monospace, monospace';
  pen.textBaseline = 'middle';
  const first = Math.max(0, Math.floor(top / (HEIGHT + GAP_Y))), last = Math.ceil(bottom / (HEIGHT + GAP_Y));
  for (let i = first; i <= last && i < layers.length; i++) {
    for (const b of layers[i]) {
      if (b.x > right || b.x + b.width < left) continue;
      const bx = sx(b.x), by = sy(b.y), bw = b.width * zoom, bh = HEIGHT * zoom;
      pen.fillStyle = fill(b.kernel);
      pen.fillRect(bx, by, bw, bh);
      const marked = b === current || b.nodes.some(n => chosen.has(n.id));
      pen.lineWidth = marked ? 3 : b.group === null ? 1 : 2;
      pen.strokeStyle = marked ? palette.accent : palette.edge;
      pen.strokeRect(bx, by, bw, bh);
      if (!legible) continue;
      pen.fillStyle = palette.text;
      pen.fillText(shortened(b.label, bw - 12), bx + 7, by + bh * 0.32);
      pen.fillText(shortened(b.second, bw - 12), bx + 7, by + bh * 0.72);
    }
  }
}

function fit() {
  if (boxes.length === 0) return;
  let left = Infinity, right = -Infinity;
  for (const b of boxes) {
    left = Math.min(left, b.x);
    right = Math.max(right, b.x + b.width);
  }
  const height = layers.length * (HEIGHT + GAP_Y);
  const zoom = Math.min(1.2, canvas.clientWidth / (right - left + 40), canvas.clientHeight / (height + 20));
  view.zoom = Math.max(0.03, zoom);
  view.x = (left + right) / 2 - canvas.clientWidth / 2 / view.zoom;
  view.y = -10 / view.zoom;
  draw();
}

/** The top of the picture, at a size that can be read. */
function home() {
  fit();
  if (boxes.length === 0 || view.zoom >= 1) return;
  const middle = view.x + canvas.clientWidth / 2 / view.zoom;
  view.zoom = 1;
  view.x = middle - canvas.clientWidth / 2;
  view.y = -10;
}

function centre(b) {
  view.zoom = Math.max(view.zoom, 1);
  view.x = b.x + b.width / 2 - canvas.clientWidth / 2 / view.zoom;
  view.y = b.y + HEIGHT / 2 - canvas.clientHeight / 2 / view.zoom;
  draw();
}

function zoomBy(factor, px, py) {
  const before = view.zoom;
  view.zoom = Math.min(4, Math.max(0.03, before * factor));
  view.x += px / before - px / view.zoom;
  view.y += py / before - py / view.zoom;
  draw();
}

function boxAt(px, py) {
  const x = view.x + px / view.zoom, y = view.y + py / view.zoom;
  const l = layers[Math.floor(y / (HEIGHT + GAP_Y))] || [];
  return l.find(b => x >= b.x && x <= b.x + b.width && y >= b.y && y <= b.y + HEIGHT) || null;
}

function toggle(path) {
  if (open.has(path)) open.delete(path);
  else open.add(path);
  refresh();
}

function refresh() {
  layOut();
  tree();
  draw();
}

// ---- pointer and keys

let drag = null;
canvas.addEventListener('pointerdown', e => {
  drag = {x: e.offsetX, y: e.offsetY, moved: false};
  canvas.setPointerCapture(e.pointerId);
});
canvas.addEventListener('pointermove', e => {
  if (!drag) return;
  const dx = e.offsetX - drag.x, dy = e.offsetY - drag.y;
  if (!drag.moved && Math.abs(dx) + Math.abs(dy) < 4) return;
  drag = {x: e.offsetX, y: e.offsetY, moved: true};
  view.x -= dx / view.zoom;
  view.y -= dy / view.zoom;
  draw();
});
canvas.addEventListener('pointerup', e => {
  const b = drag && !drag.moved ? boxAt(e.offsetX, e.offsetY) : null;
  drag = null;
  if (b) chooseBox(b);
});
canvas.addEventListener('dblclick', e => {
  const b = boxAt(e.offsetX, e.offsetY);
  if (b && b.group !== null) toggle(b.group);
});
canvas.addEventListener('wheel', e => {
  e.preventDefault();
  zoomBy(Math.exp(-e.deltaY / 400), e.offsetX, e.offsetY);
}, {passive: false});
canvas.addEventListener('keydown', e => {
  const step = 80 / view.zoom;
  const w = canvas.clientWidth / 2, h = canvas.clientHeight / 2;
  const actions = {
    ArrowLeft: () => { view.x -= step; }, ArrowRight: () => { view.x += step; },
    ArrowUp: () => { view.y -= step; }, ArrowDown: () => { view.y += step; },
    '+': () => zoomBy(1.25, w, h), '=': () => zoomBy(1.25, w, h), '-': () => zoomBy(0.8, w, h),
    n: () => walk(1), p: () => walk(-1),
    Enter: () => { if (current && current.group !== null) toggle(current.group); },
  };
  const act = actions[e.key];
  if (!act) return;
  e.preventDefault();
  act();
  draw();
});

function walk(by) {
  const all = layers.flat();
  if (all.length === 0) return;
  const at = all.findIndex(b => current && b.key === current.key);
  chooseBox(all[(at + by + all.length) % all.length]);
  centre(current);
}

// ---- choosing

function choose(ids, box) {
  chosen.clear();
  for (const id of ids) chosen.add(id);
  current = box || null;
  draw();
}

function chooseBox(b) {
  choose(b.nodes.map(n => n.id), b);
  show(b.label.replace('\u25b8 ', ''), b.nodes, b.group);
}

/** All nodes of a user's line, their kernels, and the code of these. */
function chooseLine(line) {
  const own = nodes.filter(n => n.line === line);
  choose(own.map(n => n.id));
  const shown = boxes.find(b => b.nodes.some(n => chosen.has(n.id)));
  if (shown) centre(shown);
  show(line, own, null);
  markLines(line);
}

function markLines(line) {
  for (const b of $('lines').querySelectorAll('button')) b.classList.toggle('chosen', b.dataset.line === line);
}

function chooseKernel(k) {
  const ids = k.segments.flat();
  choose(ids);
  show(name(k), ids.map(id => byId.get(id)), null, k);
}

function chips(title, list, action) {
  if (list.length === 0) return [];
  const box = element('div', {className: 'chips'});
  for (const x of list.slice(0, 60)) {
    const [label, hint] = action.label(x);
    const b = element('button', {type: 'button', textContent: label, title: hint});
    b.addEventListener('click', () => action.go(x));
    box.append(b);
  }
  if (list.length > 60) box.append(element('span', {className: 'soft', textContent: 'and ' + (list.length - 60) + ' more'}));
  return [element('h2', {textContent: title}), box];
}

let showing = 0;
function show(title, own, group, kernel) {
  const details = $('details');
  details.replaceChildren(element('h2', {textContent: title}));
  if (group !== null && group !== undefined) {
    const b = element('button', {type: 'button', textContent: open.has(group) ? 'Close module' : 'Open module', id: 'toggle'});
    b.addEventListener('click', () => toggle(group));
    details.append(b);
  }
  const numbers = kernel ? [kernel.number] : [...new Set(own.flatMap(n => n.kernels || []))].sort((a, b) => a - b);
  const lines = [...new Set(own.map(n => n.line).filter(l => l))];
  const why = (program.refusals || []).filter(r => own.some(n => n.id === r.node));
  const place = element('div', {});
  details.append(
    ...chips('Kernels', numbers.map(i => kernels[i]), {label: k => [name(k), k.kind], go: chooseKernel}),
    place,
    ...chips('Lines', lines, {label: l => [l, ''], go: chooseLine}),
    ...chips('Nodes', own, {label: n => [n.id + ' ' + n.op, n.types.join(', ') + (n.module ? ' in ' + n.module : '')], go: chooseNode}));
  if (own.length === 1 && own[0].inputs.length > 0)
    details.append(...chips('Reads', own[0].inputs.map(id => byId.get(id)), {label: n => [n.id + ' ' + n.op, n.types[0]], go: chooseNode}));
  if (why.length > 0) {
    const list = element('ul', {id: 'refusals'});
    for (const r of why.slice(0, 30))
      list.append(element('li', {textContent: r.node + ' not into ' + (r.into < 0 ? 'a loop' : name(kernels[r.into])) + ': ' + r.reason}));
    details.append(element('h2', {textContent: 'Not fused'}), list);
  }
  if (numbers.length > 0) code(place, kernels[numbers[0]], ++showing);
}

function chooseNode(n) {
  const box = boxes.find(b => b.nodes.includes(n));
  choose([n.id], box);
  if (box) centre(box);
  show(n.id + ' ' + n.op + ' ' + n.types.join(', '), [n], null);
}

const MOST_LINES = 3000;

/** Loop IR and generated code side by side: a line of the one marks its lines in the other. */
async function code(place, kernel, turn) {
  const loop = await text(kernel.file);
  const files = kernel.code.filter(f => !f.endsWith('.ptxas.txt'));
  const generated = files.length > 0 ? await text(files[0]) : '';
  const report = (await Promise.all(kernel.code.filter(f => f.endsWith('.ptxas.txt')).map(text))).join('');
  if (turn !== showing) return;
  const right = element('pre', {id: 'code', tabIndex: 0, ariaLabel: 'Generated code'});
  const origin = [];
  let line = 0;
  const all = generated.split('\n');
  all.slice(0, MOST_LINES).forEach((t, i) => {
    const m = /^\s*(?:LINENUMBER (\d+)|\.loc \d+ (\d+))/.exec(t);
    if (m) line = Number(m[1] || m[2]);
    else if (/^\s*(MAXSTACK|private static|public )/.test(t)) line = 0;
    origin[i] = line;
    right.append(element('div', {textContent: t}));
  });
  if (all.length > MOST_LINES) right.append(element('div', {textContent: '\u2026 ' + number(all.length - MOST_LINES) + ' more lines in ' + files[0]}));
  const left = element('pre', {id: 'loop', tabIndex: 0, ariaLabel: 'Loop IR'});
  const count = loop.indexOf('\n\n') < 0 ? 0 : loop.slice(0, loop.indexOf('\n\n')).split('\n').length;
  loop.split('\n').forEach((t, i) => {
    const d = element('div', {textContent: t});
    if (i > 0 && i < count && origin.includes(i + 1)) {
      d.tabIndex = 0;
      d.setAttribute('role', 'button');
      const mark = () => {
        [...left.children].forEach(x => x.classList.toggle('mark', x === d));
        let first = null;
        [...right.children].forEach((x, j) => {
          const on = origin[j] === i + 1;
          x.classList.toggle('mark', on);
          if (on && !first) first = x;
        });
        if (first) right.scrollTop = first.offsetTop - right.offsetTop - 40;
      };
      d.addEventListener('click', mark);
      d.addEventListener('keydown', e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); mark(); } });
    }
    left.append(d);
  });
  place.append(element('h2', {textContent: name(kernel) + (files.length > 0 ? ' and ' + files[0].replace(/^kernels\//, '') : '')}));
  if (report) place.append(element('pre', {id: 'report', textContent: report}));
  place.append(element('div', {className: 'sides'}, left, right));
}

// ---- lists on the left

function tree() {
  const build = at => {
    const list = element('ul', {});
    for (const g of at.children.values()) {
      if (at === root && g.name.includes('.java:')) continue;
      const fold = element('button', {type: 'button', className: 'fold', textContent: open.has(g.path) ? '\u25be' : '\u25b8'});
      fold.setAttribute('aria-label', (open.has(g.path) ? 'Close ' : 'Open ') + g.name);
      fold.setAttribute('aria-expanded', open.has(g.path));
      fold.dataset.path = g.path;
      fold.addEventListener('click', () => {
        toggle(g.path);
        const again = [...$('modules').querySelectorAll('.fold')].find(b => b.dataset.path === g.path);
        if (again) again.focus();
      });
      const label = element('button', {type: 'button', textContent: g.name});
      label.addEventListener('click', () => {
        const own = nodes.filter(n => !n.argument && (n.path.join('/') + '/').startsWith(g.path + '/'));
        choose(own.map(n => n.id));
        const shown = boxes.find(b => b.nodes.some(n => chosen.has(n.id)));
        if (shown) centre(shown);
        show(g.path, own, g.path);
      });
      const item = element('li', {}, fold, label, element('small', {textContent: ' ' + number(g.count)}));
      if (g.children.size > 0 && open.has(g.path)) item.append(build(g));
      list.append(item);
    }
    return list;
  };
  $('modules').replaceChildren(...build(root).children);
  if ($('modules').children.length === 0) $('modules').append(element('li', {className: 'soft', textContent: 'no networks'}));
}

function lineList() {
  const counts = new Map();
  for (const n of nodes) if (n.line && !n.argument) counts.set(n.line, (counts.get(n.line) || 0) + 1);
  const place = l => /^(.*?):(\d+)/.exec(l) || [l, l, '0'];
  const sorted = [...counts.keys()].sort((a, b) => place(a)[1].localeCompare(place(b)[1]) || place(a)[2] - place(b)[2]);
  for (const line of sorted) {
    const b = element('button', {type: 'button', textContent: line, title: line});
    b.dataset.line = line;
    b.addEventListener('click', () => chooseLine(line));
    $('lines').append(element('li', {}, b, element('small', {textContent: ' ' + number(counts.get(line))})));
  }
}

// ---- search

function search() {
  const wanted = $('search').value.trim().toLowerCase();
  const list = $('found');
  list.replaceChildren();
  list.hidden = wanted === '';
  if (wanted === '') return;
  const add = (label, go) => {
    const b = element('button', {type: 'button', textContent: label});
    b.addEventListener('click', () => { list.hidden = true; go(); });
    list.append(element('li', {}, b));
  };
  const has = t => t.toLowerCase().includes(wanted);
  for (const k of kernels) if (list.children.length < 50 && has(name(k))) add('kernel ' + name(k), () => chooseKernel(k));
  for (const b of $('lines').querySelectorAll('button'))
    if (list.children.length < 50 && has(b.dataset.line)) add('line ' + b.dataset.line, () => chooseLine(b.dataset.line));
  for (const n of nodes) {
    if (list.children.length >= 50) break;
    if (n.id === wanted || has(n.op) || has(n.module || '')) add(n.id + ' ' + n.op + ' ' + n.types[0] + ' ' + (n.line || ''), () => chooseNode(n));
  }
  if (list.children.length === 0) list.append(element('li', {className: 'soft', textContent: 'Nothing found.'}));
}
$('search').addEventListener('input', search);
$('search').addEventListener('keydown', e => {
  if (e.key === 'Escape') { $('search').value = ''; search(); }
  if (e.key === 'Enter') $('found').querySelector('button')?.click();
});
document.addEventListener('keydown', e => {
  if (e.key === '/' && !/^(INPUT|SELECT)$/.test(document.activeElement.tagName)) { e.preventDefault(); $('search').focus(); }
});

// ---- kernels

const columns = [
  ['kernel', k => name(k)], ['kind', k => k.kind], ['times', k => k.times], ['bytes', k => k.bytes], ['FLOPs', k => k.flops],
  ['FLOPs / byte', k => k.bytes ? k.flops / k.bytes : 0], ['nodes', k => k.segments.flat().length],
];
if (program.profile) {
  const lately = (k, f) => k.profile ? f(k.profile.lately || 1, k.profile) : 0;
  columns.splice(2, 0, ['ms', k => k.profile ? k.profile.nanos / 1e6 : 0], ['calls', k => k.profile ? k.profile.calls : 0],
    ['µs lately', k => lately(k, t => t / 1e3)], ['GB/s', k => lately(k, t => k.bytes / t)], ['GFLOP/s', k => lately(k, t => k.flops / t)]);
  // The least time by the roofline model, of the time lately.
  if (program.profile.peakBytesPerSecond) columns.splice(7, 0, ['roofline %', k => lately(k, (t, p) => 100 * (p.least || 0) / t)]);
}
columns.push(['from', k => k.lines[0] || '']);
const texts = ['kernel', 'kind', 'from'];
let sortedBy = null;
function kernelTable() {
  const order = [...kernels];
  if (sortedBy) {
    const [at, up] = sortedBy;
    const of = columns[at][1];
    order.sort((a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : a.number - b.number) * (up ? 1 : -1));
  }
  const head = element('tr', {});
  columns.forEach(([title], i) => {
    const b = element('button', {type: 'button', textContent: title});
    b.addEventListener('click', () => {
      sortedBy = [i, sortedBy && sortedBy[0] === i ? !sortedBy[1] : false];
      kernelTable();
    });
    const th = element('th', {className: texts.includes(title) ? 'name' : '', scope: 'col'}, b);
    if (sortedBy && sortedBy[0] === i) th.setAttribute('aria-sort', sortedBy[1] ? 'ascending' : 'descending');
    head.append(th);
  });
  const body = element('tbody', {});
  for (const k of order) {
    const row = element('tr', {});
    columns.forEach(([title, of], i) => {
      const v = of(k);
      const cell = element('td', {className: texts.includes(title) ? 'name' : ''});
      if (i === 0) {
        const b = element('button', {type: 'button', textContent: v});
        b.addEventListener('click', () => chooseKernel(k));
        cell.append(b);
      } else {
        cell.textContent = typeof v === 'number' ? (Number.isInteger(v) ? number(v) : v.toFixed(2)) : v;
      }
      row.append(cell);
    });
    body.append(row);
  }
  $('kernels').replaceChildren(...machine(), element('table', {}, element('thead', {}, head), body));
}

/** What the times were taken on. */
function machine() {
  const p = program.profile;
  if (!p) return [];
  const peaks = [];
  if (p.peakBytesPerSecond) {
    peaks.push((p.peakBytesPerSecond / 1e9).toFixed(1) + ' GB/s');
    for (const [type, flops] of Object.entries(p.peakFlops)) peaks.push(type + ' ' + (flops / 1e9).toFixed(0) + ' GFLOP/s');
  }
  const said = [`times on ${program.device}, threads: ${p.threads}`];
  if (peaks.length > 0) said.push('measured peaks: ' + peaks.join(', '));
  if (p.clock) said.push(p.clock);
  return [element('p', {id: 'machine', textContent: said.join('; ')})];
}

// ---- passes

/** What a line says, without the names of values, which a pass numbers anew: type, operator, attributes, origin. */
function meaning(line) {
  return line.replace(/%\w+(\.\d+)?/g, '%');
}

async function showPass() {
  const stages = program.stages.filter(s => s.file);
  const at = stages.findIndex(s => s.file === $('pass').value);
  const before = (await text(stages[at - 1].file)).trimEnd().split('\n'), after = (await text(stages[at].file)).trimEnd().split('\n');
  const only = (a, b) => {
    const left = new Map();
    for (const l of b) left.set(meaning(l), (left.get(meaning(l)) || 0) + 1);
    return a.map(l => {
      const n = left.get(meaning(l)) || 0;
      left.set(meaning(l), n - 1);
      return n <= 0;
    });
  };
  const removed = only(before, after), added = only(after, before);
  const fillIn = (pre, lines, flags, mark) => {
    pre.replaceChildren(...lines.map((t, i) => element('div', {textContent: (flags[i] ? (mark === 'added' ? '+ ' : '- ') : '  ') + t, className: flags[i] ? mark : ''})));
    const first = pre.querySelector('.' + mark);
    pre.scrollTop = first ? first.offsetTop - pre.offsetTop - 40 : 0;
  };
  fillIn($('before'), before, removed, 'removed');
  fillIn($('after'), after, added, 'added');
  $('changed').textContent = number(removed.filter(x => x).length) + ' lines removed, ' + number(added.filter(x => x).length) + ' added';
}

function passList() {
  const stages = program.stages.filter(s => s.file);
  stages.slice(1).forEach(s => $('pass').append(element('option', {value: s.file, textContent: s.file.replace('.ir', '') + ' (' + number(s.nodes) + ' nodes)'})));
  $('pass').addEventListener('change', showPass);
  if (stages.length < 2) $('changed').textContent = 'No pass changed the program.';
}

// ---- memory

function memory() {
  const m = program.memory;
  if (!m) {
    $('memory').append(element('p', {className: 'soft', textContent: 'The graph was run operator by operator: there is no plan of its memory.'}));
    return;
  }
  $('memory').append(element('div', {className: 'tools', textContent:
    `Arguments ${number(m.arguments)}, results ${number(m.results)}, arena ${number(m.arena)}, peak ${number(m.peak)} bytes. `
    + 'Below: the arena from step to step.'}));
  const steps = (program.steps || []).length;
  const temporary = m.values.filter(v => v.offset !== undefined);
  const W = Math.max(600, steps * 14), H = 300;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('width', W + 60);
  svg.setAttribute('height', H + 24);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', 'Temporary values: place in the arena by step');
  const draw1 = (tag, attributes, content) => {
    const e = document.createElementNS(svg.namespaceURI, tag);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    if (content) e.append(content);
    svg.append(e);
    return e;
  };
  for (const v of temporary) {
    const node = byId.get(v.id.replace(/[. ].*$/, ''));
    const kernel = node && node.kernels ? node.kernels[0] : -1;
    const rect = draw1('rect', {
      x: v.first * W / steps, y: H - (v.offset + v.bytes) * H / m.arena, width: Math.max(2, (v.last - v.first + 1) * W / steps),
      height: Math.max(1, v.bytes * H / m.arena), fill: `hsl(${Math.max(0, kernel) * 47 % 360} 55% 55%)`,
    });
    const title = document.createElementNS(svg.namespaceURI, 'title');
    title.textContent = `${v.id}: ${number(v.bytes)} bytes, steps ${v.first} to ${v.last}`;
    rect.append(title);
    rect.addEventListener('click', () => { if (node) chooseNode(node); });
  }
  draw1('text', {x: 0, y: H + 18}, 'step 0');
  draw1('text', {x: W - 20, y: H + 18}, String(Math.max(0, steps - 1)));
  const body = element('tbody', {});
  for (const v of [...m.values].sort((a, b) => b.bytes - a.bytes)) {
    const b = element('button', {type: 'button', textContent: v.id});
    const node = byId.get(v.id.replace(/[. ].*$/, ''));
    if (node) b.addEventListener('click', () => chooseNode(node));
    body.append(element('tr', {}, element('td', {className: 'name'}, b), element('td', {textContent: number(v.bytes)}),
      element('td', {textContent: v.first}), element('td', {textContent: v.last}), element('td', {className: 'name', textContent: v.place})));
  }
  const head = element('tr', {});
  for (const t of ['value', 'bytes', 'first step', 'last step', 'place'])
    head.append(element('th', {className: t === 'value' || t === 'place' ? 'name' : '', scope: 'col', textContent: t}));
  $('memory').append(svg, element('table', {}, element('thead', {}, head), body));
}

// ---- tabs, theme

const tabs = [...document.querySelectorAll('[role="tab"]')];
const started = new Set(['graph']);
function tab(t) {
  for (const x of tabs) {
    const on = x === t;
    x.setAttribute('aria-selected', on);
    x.tabIndex = on ? 0 : -1;
    $(x.getAttribute('aria-controls')).hidden = !on;
  }
  const id = t.getAttribute('aria-controls');
  if (started.has(id)) { if (id === 'graph') draw(); return; }
  started.add(id);
  if (id === 'kernels') kernelTable();
  if (id === 'memory') memory();
  if (id === 'passes' && $('pass').options.length > 0) showPass();
}
tabs.forEach((t, i) => {
  t.addEventListener('click', () => tab(t));
  t.addEventListener('keydown', e => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    const next = tabs[(i + by + tabs.length) % tabs.length];
    tab(next);
    next.focus();
  });
});

function theme(dark) {
  document.documentElement.classList.toggle('dark', dark);
  $('theme').textContent = dark ? 'Light' : 'Dark';
  readPalette();
  draw();
}
$('theme').addEventListener('click', () => theme(!document.documentElement.classList.contains('dark')));

$('expand').addEventListener('click', () => { everyGroup(g => open.add(g.path)); refresh(); home(); });
$('collapse').addEventListener('click', () => { open.clear(); refresh(); home(); });
$('fit').addEventListener('click', fit);
$('arguments').addEventListener('change', e => { showArguments = e.target.checked; refresh(); });
new ResizeObserver(draw).observe(canvas);

$('target').textContent = `key ${program.key}, device ${program.device}, ${number(root.count)} nodes, ${number(kernels.length)} kernels`;
theme(matchMedia('(prefers-color-scheme: dark)').matches);
lineList();
passList();
refresh();
home();

/** For tests: what is on the canvas, which has no elements to ask. */
window.sinter = {
  boxes: () => boxes.map(b => ({key: b.key, label: b.label, x: b.x, y: b.y, width: b.width, height: HEIGHT,
    left: (b.x - view.x) * view.zoom, top: (b.y - view.y) * view.zoom, zoom: view.zoom})),
  font: () => (FONT * view.zoom >= LEAST_FONT ? FONT * view.zoom : null),
  chosen: () => [...chosen],
  colours: () => ({text: palette.text, fills: [...new Set(boxes.map(b => fill(b.kernel)))]}),
  paint, view, ready: performance.now(),
};
