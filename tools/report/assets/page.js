// SPDX-License-Identifier: Apache-2.0
// Common to all pages: numbers with units, elements, colours, charts with their keyboard, table, CSV and SVG.
'use strict';
const bitline = (() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const charts = new Map();
  const DECIMAL = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

  // --- numbers ---------------------------------------------------------------------------------------------
  // Four digits with an SI prefix, as the terminal prints them: si(1.749e-6, 'J') is "1.749 µJ".
  function si(value, unit = '') {
    if (value === null || value === undefined) return 'none';
    if (!Number.isFinite(value) || value === 0) return `${value} ${unit}`.trim();
    const rounded = Number(value.toExponential(3));
    const step = Math.max(-6, Math.min(4, Math.floor(Math.floor(Math.log10(Math.abs(rounded)) + 1e-12) / 3)));
    const scaled = rounded / 1000 ** step;
    const size = Math.abs(scaled);
    const prefix = ['a', 'f', 'p', 'n', 'µ', 'm', '', 'k', 'M', 'G', 'T'][step + 6];
    return `${scaled.toFixed(size >= 99.995 ? 1 : size >= 9.9995 ? 2 : 3)} ${prefix}${unit}`.trim();
  }
  // For axes: the same without zeros at the end, "2 nJ".
  const tick = (value, unit = '') => si(value, unit).replace(/(\.\d*?)0+(?= |$)/, '$1').replace(/\.(?= |$)/, '');
  // Four digits: a number that is no multiple of a unit.
  const plain = (value) => (value === null || value === undefined ? 'none' : String(Number(value.toPrecision(4))));
  const count = (value) => (value === null || value === undefined ? 'none' : DECIMAL.format(value).replaceAll(',', '\u202f'));
  const percent = (ratio) => {
    if (ratio === null || ratio === undefined) return 'none';
    return `${(ratio * 100).toFixed(ratio !== 0 && Math.abs(ratio) < 0.001 ? 3 : 1)} %`;
  };
  const area = (mm2) => {
    if (mm2 === null || mm2 === undefined) return 'none';
    return mm2 !== 0 && Math.abs(mm2) < 0.01 ? `${plain(mm2 * 1e6)} µm²` : `${plain(mm2)} mm²`;
  };

  // --- elements --------------------------------------------------------------------------------------------
  // element('p', {class: 'x', onclick: f}, 'text', other): text is never read as HTML.
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }
  const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

  // A section with its entry in the navigation; charts and cards go into the grid that it returns.
  function section(id, title, intro) {
    const nav = document.querySelector('nav');
    if (!nav.firstChild) nav.append(element('ul'));
    nav.firstChild.append(element('li', {}, element('a', {href: `#${id}`}, title)));
    const grid = element('div', {class: 'grid'});
    document.getElementById('main').append(element('section', {id, 'aria-labelledby': `${id}-title`},
      element('h2', {id: `${id}-title`}, title), intro ? element('p', {class: 'intro'}, intro) : null, grid));
    return grid;
  }

  // columns: [{key, label, format?}] ('format' makes a cell's text; numbers are right-aligned); the first is the row's header.
  function table(columns, rows, caption, limit = 1000) {
    const number = (at) => rows.length > 0 && typeof rows[0][at] === 'number';
    const cell = (tag, at, text, more = {}) => element(tag, {class: number(at) ? 'number' : null, ...more}, text);
    const text = (column, value) => (value === null || value === undefined ? '–' : column.format ? column.format(value) : String(value));
    const body = rows.slice(0, limit).map((row) => element('tr', {}, ...columns.map((column, at) => (at === 0
      ? cell('th', at, text(column, row[at]), {scope: 'row'}) : cell('td', at, text(column, row[at]))))));
    const made = element('table', {}, element('caption', {class: 'hidden'}, caption),
      element('thead', {}, element('tr', {}, ...columns.map((column, at) => cell('th', at, column.label, {scope: 'col'})))),
      element('tbody', {}, ...body));
    const more = rows.length > limit ? element('p', {}, `${count(rows.length - limit)} more rows are in the CSV file.`) : null;
    return element('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption}, made, more);
  }

  // --- colours ---------------------------------------------------------------------------------------------
  // theme.text, theme.surface, theme['wait-input'], theme.series[i], theme.scale[i], theme.component('adc').
  function theme(light = false) {
    const style = getComputedStyle(light ? document.getElementById('light') : document.documentElement);
    const names = ['page', 'surface', 'text', 'muted', 'line', 'grid', 'control', 'accent', 'bad', 'busy', 'wait-input', 'wait-output', 'idle'];
    const variable = (name) => style.getPropertyValue(`--${name}`).trim();
    const made = Object.fromEntries(names.map((name) => [name, variable(name)]));
    made.series = Array.from({length: 10}, (_, i) => variable(`series-${i}`));
    made.scale = Array.from({length: 5}, (_, i) => variable(`scale-${i}`));
    made.component = (name) => variable(`c-${name.replaceAll('_', '-')}`) || made.idle;
    made.font = style.fontFamily || 'sans-serif';
    return made;
  }
  function channels(colour) {
    const hex = /^#([0-9a-f]{6})$/i.exec(colour);
    if (hex) return [0, 2, 4].map((at) => parseInt(hex[1].slice(at, at + 2), 16));
    return (colour.match(/[\d.]+/g) || ['0', '0', '0']).slice(0, 3).map(Number);
  }
  function luminance(colour) {
    const [r, g, b] = channels(colour).map((c) => (c <= 10.31475 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  // The one of black and white that is easier to read on a colour.
  const ink = (colour) => (luminance(colour) > 0.179 ? '#000000' : '#ffffff');
  // A colour of the scale for a share in [0, 1].
  function shade(colours, share) {
    const at = Math.max(0, Math.min(1, share)) * (colours.length - 1);
    const low = Math.min(Math.floor(at), colours.length - 2);
    const [a, b] = [channels(colours[low]), channels(colours[low + 1])];
    return `#${a.map((c, i) => Math.round(c + (b[i] - c) * (at - low)).toString(16).padStart(2, '0')).join('')}`;
  }

  // --- files -----------------------------------------------------------------------------------------------
  function download(name, type, text) {
    const url = URL.createObjectURL(new Blob([text], {type}));
    const link = element('a', {href: url, download: name});
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }
  const quoted = (value) => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = (columns, rows) => [columns.map((c) => c.key), ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join('');
  const fileName = (id, suffix) => `${document.body.dataset.stem || 'bitline'}-${id}.${suffix}`;
  const say = (text) => { document.getElementById('live').textContent = text; };

  // --- charts ----------------------------------------------------------------------------------------------
  // HTML of a tooltip: tip('conv1', [['energy', '1.7 µJ', colour?], …]).
  function tip(title, rows) {
    const lines = rows.map(([label, value, colour]) => `<tr><td>${colour ? `<span class="dot" style="background:${escape(colour)}"></span>` : ''}`
      + `${escape(label)}</td><td class="number"><b>${escape(value)}</b></td></tr>`);
    return `<div class="tip"><b>${escape(title)}</b><table>${lines.join('')}</table></div>`;
  }
  function base(colours) {
    return {
      animation: false, backgroundColor: 'transparent', textStyle: {fontFamily: colours.font, color: colours.text, fontSize: 12},
      tooltip: {confine: true, backgroundColor: colours.surface, borderColor: colours.control, textStyle: {color: colours.text, fontSize: 13}},
      color: colours.series,
    };
  }
  // Axis with the page's colours; `more` overrides.
  function axis(colours, more = {}) {
    const {axisLabel, nameTextStyle, ...rest} = more;
    return {
      axisLine: {lineStyle: {color: colours.control}}, axisTick: {lineStyle: {color: colours.control}},
      splitLine: {lineStyle: {color: colours.grid}}, axisLabel: {color: colours.muted, ...axisLabel},
      nameTextStyle: {color: colours.muted, ...nameTextStyle}, ...rest,
    };
  }
  // ECharts' grid, with room for the labels of its axes.
  const frame = (more = {}) => ({left: 8, right: 28, top: 8, bottom: 8, containLabel: true, ...more});
  const legend = (colours, more = {}) => ({
    type: 'scroll', top: 0, left: 0, right: 0, itemWidth: 12, itemHeight: 12, textStyle: {color: colours.text}, pageTextStyle: {color: colours.muted},
    pageIconColor: colours.accent, pageIconInactiveColor: colours.line, inactiveColor: colours.muted, ...more});

  class Chart {
    constructor(spec) {
      this.spec = spec;
      this.choice = Object.fromEntries((spec.controls || []).map((c) => [c.name, c.value ?? c.choices[0].value]));
      this.row = -1;
      this.build();
      charts.set(spec.id, this);
    }

    build() {
      const {spec} = this;
      const selects = (spec.controls || []).map((control) => element('label', {}, `${control.label} `,
        element('select', {name: control.name, onchange: (event) => this.choose(control.name, event.target.value)},
          ...control.choices.map((c) => element('option', {value: c.value, selected: c.value === this.choice[control.name]}, c.label)))));
      this.plot = element('div', {class: 'plot', id: `${spec.id}-plot`, tabindex: '0', role: 'application', 'aria-roledescription': 'chart',
        'aria-label': `${spec.title}. ${spec.describe || ''} Arrow keys go through the values; Table below has them all.`, onkeydown: (event) => this.key(event),
        onblur: () => this.leave()});
      this.rows = element('details', {ontoggle: () => this.fillTable()}, element('summary', {}, 'Table'));
      this.figure = element('figure', {id: spec.id, class: spec.wide ? 'wide' : null, 'aria-labelledby': `${spec.id}-title`},
        element('div', {class: 'head'}, element('h3', {id: `${spec.id}-title`}, spec.title),
          element('div', {class: 'tools'}, ...selects,
            element('button', {type: 'button', 'aria-label': `CSV of ${spec.title}`, onclick: () => this.saveCsv()}, 'CSV'),
            element('button', {type: 'button', 'aria-label': `SVG of ${spec.title}`, onclick: () => this.saveSvg()}, 'SVG'))),
        this.plot, spec.note ? element('figcaption', {}, spec.note) : null, this.rows);
      spec.into.append(this.figure);
    }

    context(light, width) {
      return {theme: theme(light), narrow: width < 520, width, choice: this.choice};
    }

    height(context) {
      const {height = 320} = this.spec;
      return typeof height === 'function' ? height(context) : height;
    }

    option(context) {
      const own = this.spec.option(context);
      const common = base(context.theme);
      return {...common, ...own, tooltip: own.tooltip === null ? undefined : {...common.tooltip, ...own.tooltip}};
    }

    draw() {
      const context = this.context(printing, this.plot.clientWidth);
      this.plot.style.height = `${this.height(context)}px`;
      if (!this.instance) {
        this.instance = echarts.init(this.plot, null, {renderer: this.spec.canvas ? 'canvas' : 'svg'});
        if (this.spec.onclick) this.instance.on('click', (event) => this.spec.onclick(event, this));
        this.observer = new ResizeObserver(() => this.resize());
        this.observer.observe(this.plot);
      } else {
        this.instance.resize();
      }
      this.width = this.plot.clientWidth;
      this.instance.setOption(this.option(context), {notMerge: true});
      this.plot.dataset.drawn = 'true';
    }

    resize() {
      if (!this.instance || this.plot.clientWidth === this.width || this.plot.clientWidth === 0) return;
      this.draw();
    }

    choose(name, value) {
      this.choice[name] = value;
      this.row = -1;
      this.draw();
      this.fillTable();
      if (this.spec.onchoose) this.spec.onchoose(this.choice, this);
    }

    table() {
      const {columns, rows} = this.spec.table(this.choice);
      return {columns, rows};
    }

    fillTable() {
      if (!this.rows.open) return;
      const {columns, rows} = this.table();
      const made = table(columns, rows, this.spec.title);
      if (this.rows.children.length > 1) this.rows.lastChild.replaceWith(made);
      else this.rows.append(made);
    }

    // Arrow keys go through the rows of the table: each is said, and shown where `at` says which mark it is.
    key(event) {
      const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
      if (event.key === 'Escape') this.leave();
      if (event.key === 'Enter' && this.spec.onclick && this.row >= 0) {
        this.spec.onclick({...this.mark(), row: this.row}, this);
        event.preventDefault();
      }
      if (!step && event.key !== 'Home' && event.key !== 'End') return;
      event.preventDefault();
      const {columns, rows} = this.table();
      if (rows.length === 0) return;
      const next = event.key === 'Home' ? 0 : event.key === 'End' ? rows.length - 1 : this.row < 0 && step > 0 ? 0 : this.row + step;
      this.row = Math.max(0, Math.min(rows.length - 1, next));
      const row = rows[this.row];
      say(columns.map((c, at) => `${at > 0 ? `${c.label}: ` : ''}${row[at] === null || row[at] === undefined ? 'none' : c.format ? c.format(row[at]) : row[at]}`).join(', '));
      const mark = this.mark();
      this.instance.dispatchAction({type: 'downplay'});
      if (mark) {
        this.instance.dispatchAction({type: 'highlight', ...mark});
        this.instance.dispatchAction({type: 'showTip', ...mark});
      }
    }

    mark() {
      if (this.row < 0) return null;
      return this.spec.at ? this.spec.at(this.row, this.choice) : {seriesIndex: 0, dataIndex: this.row};
    }

    leave() {
      this.row = -1;
      if (!this.instance) return;
      this.instance.dispatchAction({type: 'downplay'});
      this.instance.dispatchAction({type: 'hideTip'});
    }

    csv() {
      const {columns, rows} = this.table();
      return csv(columns, rows);
    }

    // A vector drawing in the light colours, whatever the screen shows.
    svg() {
      const width = Math.max(this.width || 0, 640);
      const context = this.context(true, width);
      const drawn = echarts.init(null, null, {renderer: 'svg', ssr: true, width, height: this.height(context)});
      drawn.setOption({...this.option(context), backgroundColor: context.theme.surface});
      const text = drawn.renderToSVGString();
      drawn.dispose();
      return text;
    }

    saveCsv() { download(fileName(this.spec.id, 'csv'), 'text/csv', this.csv()); }

    saveSvg() { download(fileName(this.spec.id, 'svg'), 'image/svg+xml', this.svg()); }
  }

  // Charts are drawn one after another, so that the page answers in between.
  let printing = false;
  const waiting = [];
  let drawing = false;
  let settle;
  const ready = new Promise((resolve) => { settle = resolve; });
  function next() {
    const chart = waiting.shift();
    if (chart) {
      chart.draw();
      setTimeout(next);
    } else {
      drawing = false;
      document.documentElement.dataset.ready = 'true';
      settle();
    }
  }
  function chart(spec) {
    const made = new Chart(spec);
    waiting.push(made);
    if (!drawing) setTimeout(next);
    drawing = true;
    return made;
  }
  const redraw = () => charts.forEach((one) => { if (one.instance) one.draw(); });
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  window.addEventListener('beforeprint', () => { printing = true; redraw(); });
  window.addEventListener('afterprint', () => { printing = false; redraw(); });

  return {data, charts, ready, si, tick, plain, count, percent, area, element, escape, section, table, theme, ink, shade, luminance, tip, axis, frame, legend, chart,
    csv, download, say};
})();
