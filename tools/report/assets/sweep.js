// SPDX-License-Identifier: Apache-2.0
// The page of a sweep: two figures against each other with the Pareto front, filters, the chosen point, the table. Columns are
// arrays by point, so that ten thousand points are a matter of milliseconds.
'use strict';
(() => {
  const {data, si, tick, plain, count, percent, element, section, chart, axis, frame, legend, tip, say} = bitline;
  const {points, columns, objectives} = data;
  const byName = new Map(columns.map((column) => [column.name, column]));
  const onFront = new Set(data.front);
  const withReport = new Set(data.reports);
  const failed = new Map(data.errors.map(([p, kind, message]) => [p, {kind, message}]));
  const usable = points.map((_, p) => p).filter((p) => !failed.has(p));

  // --- values as text ---------------------------------------------------------------------------------------
  const SHARES = new Set(['top1', 'top5', 'float_top1', 'cell_utilization']);
  const UNITS = [['_js', 'J s'], ['_mm2', 'mm2'], ['_bytes_per_s', 'B/s'], ['_bytes', 'B'], ['_hz', 'Hz'], ['_ohm', 'Ω'], ['_nm', 'nm'], ['_ips', '1/s'],
    ['_s', 's'], ['_j', 'J'], ['_v', 'V'], ['_w', 'W']];
  function unit(name) {
    if (name.startsWith('tops')) return '';
    const found = UNITS.find(([suffix]) => name.endsWith(suffix));
    return found ? found[1] : '';
  }
  function shown(column, value, form = si) {
    if (value === null || value === undefined) return 'none';
    if (!column.number) return String(value);
    if (SHARES.has(column.name)) return percent(value);
    const of = unit(column.name);
    if (of === 'mm2') return `${plain(value)} mm²`;
    if (of === '') return Number.isInteger(value) ? count(value) : plain(value);
    return form(value, of);
  }
  const label = (column) => column.name;

  // --- what is shown: filters ----------------------------------------------------------------------------------
  const filters = new Map();  // column -> {low, high} or {text}
  let kept = usable;
  function filter() {
    const tests = [...filters].map(([column, f]) => {
      const {values} = column;
      if (f.text !== undefined) return (p) => String(values[p]) === f.text;
      const low = f.low ?? -Infinity;
      const high = f.high ?? Infinity;
      return (p) => values[p] !== null && values[p] >= low && values[p] <= high;
    });
    kept = tests.length === 0 ? usable : usable.filter((p) => tests.every((test) => test(p)));
  }

  // --- the chart -------------------------------------------------------------------------------------------------
  const numeric = columns.filter((column) => column.number);
  const kinds = (column) => [...new Set(usable.map((p) => column.values[p]))];
  const names = (list) => list.map((column) => ({value: column.name, label: label(column)}));
  const grid = section('space', 'Design space', `Large diamonds: on the Pareto front over ${objectives.map((o) =>
    `${o.maximise ? 'most' : 'least'} ${o.figure}`).join(', ')}. Click one for its settings and its report.`);

  // Points by colour, the front apart and last, so that it lies on top: [{name, points, colour, front}].
  function layers(choice, theme) {
    const column = byName.get(choice.colour);
    const front = kept.filter((p) => onFront.has(p));
    const others = kept.filter((p) => !onFront.has(p));
    const all = [{name: 'Pareto front', points: front, colour: theme.series[1], front: true}];
    if (!column) return [{name: 'dominated', points: others, colour: theme.series[0]}, ...all];
    const values = column.number ? null : kinds(column).slice(0, 10);
    if (values) {
      const groups = new Map(values.map((value) => [value, []]));
      others.forEach((p) => groups.get(column.values[p])?.push(p));
      return [...values.map((value, i) => ({name: String(value), points: groups.get(value), colour: theme.series[i]})), ...all];
    }
    let low = Infinity;
    let high = -Infinity;
    usable.forEach((p) => { const v = column.values[p]; if (v !== null) { low = Math.min(low, v); high = Math.max(high, v); } });
    const size = high > low ? (high - low) / 4 : 1;
    const bins = [[], [], [], []];
    others.forEach((p) => { const v = column.values[p]; if (v !== null) bins[Math.min(3, Math.floor((v - low) / size))].push(p); });
    return [...bins.map((list, i) => ({name: `${shown(column, low + i * size)} … ${shown(column, low + (i + 1) * size)}`, points: list, colour: theme.scale[i + 1]})), ...all];
  }

  let drawn = [];  // the layers that are on the screen
  // What ECharts takes fastest: one array x, y, point, x, y, point, …
  function triples(list, x, y) {
    const flat = new Float64Array(3 * list.length);
    list.forEach((p, i) => flat.set([x.values[p] ?? NaN, y.values[p] ?? NaN, p], 3 * i));
    return flat;
  }
  // Below four pixels ECharts draws rectangles, which take a third of the time.
  const MANY = 2000;
  function size(layer) {
    if (layer.front) return layer.points.length > MANY ? 3.9 : 13;
    return kept.length > MANY ? 3.9 : 5;
  }
  const xy = (choice) => [byName.get(choice.x), byName.get(choice.y)];
  const rowsOf = () => [...drawn].reverse().flatMap((layer) => layer.points.map((p) => [layer, p]));
  const start = (at, other) => (objectives[at] && byName.has(objectives[at].figure) ? objectives[at].figure : numeric[other]?.name);
  const scatter = numeric.length < 2 || usable.length === 0 ? null : chart({
    into: grid, id: 'scatter', title: 'Points', wide: true, canvas: true,
    describe: 'A mark per point; those on the Pareto front are larger and come first with the arrow keys.',
    height: ({narrow}) => (narrow ? 380 : 480),
    controls: [{label: 'Across', name: 'x', value: start(1, 1), choices: names(numeric)}, {label: 'Up', name: 'y', value: start(0, 0), choices: names(numeric)},
      {label: 'Colour', name: 'colour', value: '', choices: [{value: '', label: 'front'}, ...names(columns)]}],
    option: ({theme, choice}) => {
      const [x, y] = xy(choice);
      drawn = layers(choice, theme);
      const side = (column, more) => axis(theme, {type: 'value', scale: true, name: label(column), ...more,
        axisLabel: {formatter: (v) => shown(column, v, tick), hideOverlap: true}});
      return {
        grid: frame({top: 56, bottom: 28}), legend: legend(theme),
        tooltip: {formatter: (p) => tip(`point ${points[p.value[2]]}`, [x, y].map((c) => [label(c), shown(c, c.values[p.value[2]])]))},
        xAxis: side(x, {nameLocation: 'middle', nameGap: 28}), yAxis: side(y, {nameLocation: 'end', nameTextStyle: {align: 'left'}}),
        series: drawn.map((layer) => ({
          type: 'scatter', name: layer.name, data: triples(layer.points, x, y), dimensions: ['x', 'y', 'point'],
          itemStyle: {color: layer.colour, borderColor: layer.front ? theme.text : layer.colour, borderWidth: layer.front ? 1 : 0},
          symbol: layer.front ? 'diamond' : 'circle', symbolSize: size(layer),
          large: true, largeThreshold: layer.front ? 400 : 200, z: layer.front ? 5 : 2,
        })),
      };
    },
    table: (choice) => {
      const [x, y] = xy(choice);
      return {
        columns: [{key: 'point', label: 'Point'}, {key: 'front', label: 'Front'}, ...[x, y].map((c) => ({key: c.name, label: label(c), format: (v) => shown(c, v)}))],
        rows: rowsOf().map(([layer, p]) => [points[p], layer.front ? 'on it' : 'dominated', x.values[p], y.values[p]]),
      };
    },
    at: (row) => {
      const [layer, p] = rowsOf()[row] || [];
      return layer ? {seriesIndex: drawn.indexOf(layer), dataIndex: layer.points.indexOf(p)} : null;
    },
    onclick: (event) => choose(event.value ? event.value[2] : rowsOf()[event.row][1]),
  });

  // --- the chosen point ------------------------------------------------------------------------------------------
  const card = element('div', {class: 'card', id: 'chosen', role: 'region', 'aria-label': 'Chosen point', tabindex: '-1'});
  let chosen = -1;
  function report(p) {
    if (withReport.has(p)) return element('a', {href: `points/${points[p]}/report.html`}, 'Open its report');
    return element('span', {}, 'Its report is made by ', element('code', {}, '--reports all'));
  }
  function choose(p, focus = false) {
    chosen = p;
    const list = element('dl', {});
    columns.forEach((column) => list.append(element('dt', {}, label(column)), element('dd', {}, shown(column, column.values[p]))));
    card.replaceChildren(element('h3', {}, `Point ${points[p]}${onFront.has(p) ? ', on the Pareto front' : ''}`), element('p', {}, report(p)), list);
    say(`point ${points[p]} chosen`);
    if (focus) card.focus();
    fill();
  }
  card.append(element('h3', {}, 'Chosen point'), element('p', {}, 'None yet: click a mark, or a point of the table.'));

  // --- the filters -----------------------------------------------------------------------------------------------
  const status = element('p', {role: 'status', class: 'intro'});
  function changed() {
    filter();
    page = 0;
    sort();
    fill();
    if (scatter && scatter.instance) scatter.draw();
    if (scatter) scatter.fillTable();
    status.textContent = `${count(kept.length)} of ${count(points.length)} points, ${count(kept.filter((p) => onFront.has(p)).length)} of them on the front.`;
  }
  function set(column, part, text) {
    const value = text.trim() === '' ? undefined : part === 'text' ? text : Number(text);
    const rest = {...filters.get(column), [part]: Number.isNaN(value) ? undefined : value};
    const empty = Object.values(rest).every((v) => v === undefined);
    if (empty) filters.delete(column); else filters.set(column, rest);
    changed();
  }
  function filterOf(column) {
    if (!column.number) {
      return element('fieldset', {}, element('legend', {}, label(column)), element('select', {'aria-label': label(column), name: column.name,
        onchange: (event) => set(column, 'text', event.target.value)}, element('option', {value: ''}, 'all'),
      ...kinds(column).map((value) => element('option', {value: String(value)}, String(value)))));
    }
    const box = (part, words) => element('input', {type: 'number', step: 'any', placeholder: words, 'aria-label': `${label(column)}: ${words}`,
      name: `${column.name}-${part}`, oninput: (event) => set(column, part, event.target.value)});
    return element('fieldset', {}, element('legend', {}, label(column)), box('low', 'at least'), box('high', 'at most'));
  }
  const shownFilters = columns.filter((column) => column.axis || objectives.some((o) => o.figure === column.name));
  const clear = element('button', {type: 'button', onclick: () => {
    filters.clear();
    document.querySelectorAll('.filters input, .filters select').forEach((box) => { box.value = ''; });
    changed();
  }}, 'Clear all');
  grid.append(element('div', {class: 'card wide', id: 'filters'}, element('h3', {}, 'Filters'), element('div', {class: 'filters'}, ...shownFilters.map(filterOf)),
    element('div', {class: 'bar'}, clear), status), card);
  card.classList.add('wide');

  // --- the table ---------------------------------------------------------------------------------------------------
  const ROWS = 50;
  const main = [...columns.filter((c) => c.axis), ...objectives.map((o) => byName.get(o.figure)).filter((c) => c)];
  const more = columns.filter((c) => !main.includes(c));
  let wide = false;
  let order = {column: main.find((c) => !c.axis) || null, down: objectives[0]?.maximise || false};
  let sorted = usable;
  let page = 0;
  function sort() {
    const {column, down} = order;
    sorted = [...kept];
    if (!column) { if (down) sorted.reverse(); return; }
    const {values} = column;
    const sign = down ? -1 : 1;
    if (column.number) sorted.sort((a, b) => (values[a] === values[b] ? a - b : values[a] === null ? 1 : values[b] === null ? -1 : sign * (values[a] - values[b])));
    else sorted.sort((a, b) => (values[a] === values[b] ? a - b : sign * (String(values[a]) < String(values[b]) ? -1 : 1)));
  }
  const body = element('tbody', {});
  const head = element('thead', {});
  const where = element('span', {role: 'status'});
  const turn = (step) => () => { page = Math.max(0, Math.min(Math.ceil(sorted.length / ROWS) - 1, page + step)); fill(); };
  function heading(column) {
    const active = order.column === column;
    const press = () => { order = {column, down: active ? !order.down : false}; page = 0; sort(); fillHead(); fill();
      say(`sorted by ${column ? label(column) : 'point'}, ${order.down ? 'largest' : 'smallest'} first`);
      head.querySelector(`[data-column="${column ? column.name : ''}"]`)?.focus(); };
    return element('th', {scope: 'col', class: column?.number ? 'number' : null, 'aria-sort': active ? (order.down ? 'descending' : 'ascending') : 'none'},
      element('button', {type: 'button', onclick: press, 'data-column': column ? column.name : ''}, `${column ? label(column) : 'point'}${active ? (order.down ? ' ▼' : ' ▲') : ''}`));
  }
  const visible = () => (wide ? [...main, ...more] : main);
  function fillHead() {
    head.replaceChildren(element('tr', {}, heading(null), element('th', {scope: 'col'}, 'front'), ...visible().map(heading), element('th', {scope: 'col'}, 'report')));
  }
  function fill() {
    const first = page * ROWS;
    body.replaceChildren(...sorted.slice(first, first + ROWS).map((p) => element('tr', {class: [onFront.has(p) ? 'front' : '', p === chosen ? 'chosen' : ''].join(' ').trim() || null},
      element('th', {scope: 'row'}, element('button', {type: 'button', onclick: () => choose(p, true)}, points[p])),
      element('td', {}, onFront.has(p) ? 'yes' : 'no'), ...visible().map((c) => element('td', {class: c.number ? 'number' : null}, shown(c, c.values[p]))),
      element('td', {}, withReport.has(p) ? element('a', {href: `points/${points[p]}/report.html`, 'aria-label': `report of point ${points[p]}`}, 'open') : '–'))));
    where.textContent = sorted.length === 0 ? 'no points' : `${count(first + 1)}–${count(Math.min(first + ROWS, sorted.length))} of ${count(sorted.length)}`;
  }
  const listing = section('points', 'Points', 'Those that the filters leave; a heading sorts. All figures are in results.csv.');
  const all = element('input', {type: 'checkbox', id: 'all-figures', onchange: (event) => { wide = event.target.checked; fillHead(); fill(); }});
  listing.append(element('div', {class: 'card wide'}, element('div', {class: 'bar'},
    element('button', {type: 'button', id: 'previous', onclick: turn(-1)}, 'Previous'), element('button', {type: 'button', id: 'next', onclick: turn(1)}, 'Next'), where,
    element('label', {for: 'all-figures'}, all, ' all figures')),
  element('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Table of points'}, element('table', {id: 'table'}, element('caption', {class: 'hidden'}, 'Points'), head, body))));

  if (failed.size > 0) {
    const list = section('failed', 'Failed points', 'Kept with their errors; --retry-failed tries them again.');
    const box = bitline.table([{key: 'point', label: 'Point'}, {key: 'kind', label: 'Kind'}, {key: 'message', label: 'Message'}],
      data.errors.map(([p, kind, message]) => [points[p], kind, message]), 'Failed points');
    box.classList.add('wide', 'card');
    list.append(box);
  }
  fillHead();
  changed();
  bitline.sweep = {choose, kept: () => kept, sorted: () => sorted, drawn: () => drawn};  // for the tests
})();
