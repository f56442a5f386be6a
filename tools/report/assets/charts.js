// SPDX-License-Identifier: Apache-2.0
// Common to all pages: charts with their keyboard, table, CSV and SVG.
'use strict';
(() => {
  const {element, escape, table, theme, csv, download, fileName, say} = bitline;
  const charts = new Map();

  // HTML of a tooltip: tip('conv1', [['energy', '1.7 µJ', colour?], …]).
  function tip(title, rows) {
    const lines = rows.map(
      ([label, value, colour]) =>
        `<tr><td>${colour ? `<span class="dot" style="background:${escape(colour)}"></span>` : ''}` +
        `${escape(label)}</td><td class="number"><b>${escape(value)}</b></td></tr>`,
    );
    return `<div class="tip"><b>${escape(title)}</b><table>${lines.join('')}</table></div>`;
  }
  function base(colours) {
    return {
      animation: false,
      backgroundColor: 'transparent',
      textStyle: {fontFamily: colours.font, color: colours.text, fontSize: 12},
      tooltip: {
        confine: true,
        transitionDuration: 0,
        backgroundColor: colours.surface,
        borderColor: colours.control,
        textStyle: {color: colours.text, fontSize: 13},
      },
      color: colours.series,
    };
  }
  // Axis with the page's colours; `more` overrides.
  function axis(colours, more = {}) {
    const {axisLabel, nameTextStyle, ...rest} = more;
    return {
      axisLine: {lineStyle: {color: colours.control}},
      axisTick: {lineStyle: {color: colours.control}},
      splitLine: {lineStyle: {color: colours.grid}},
      axisLabel: {color: colours.muted, ...axisLabel},
      nameTextStyle: {color: colours.muted, ...nameTextStyle},
      ...rest,
    };
  }
  // ECharts' grid, with room for the labels of its axes.
  const frame = (more = {}) => ({left: 8, right: 28, top: 8, bottom: 8, containLabel: true, ...more});
  const legend = (colours, more = {}) => ({
    type: 'scroll',
    top: 0,
    left: 0,
    right: 0,
    itemWidth: 12,
    itemHeight: 12,
    textStyle: {color: colours.text},
    pageTextStyle: {color: colours.muted},
    pageIconColor: colours.accent,
    pageIconInactiveColor: colours.line,
    inactiveColor: colours.muted,
    ...more,
  });

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
      const selects = (spec.controls || []).map((control) =>
        element(
          'label',
          {},
          `${control.label} `,
          element(
            'select',
            {name: control.name, onchange: (event) => this.choose(control.name, event.target.value)},
            ...control.choices.map((c) =>
              element('option', {value: c.value, selected: c.value === this.choice[control.name]}, c.label),
            ),
          ),
        ),
      );
      this.plot = element('div', {
        class: 'plot',
        id: `${spec.id}-plot`,
        tabindex: '0',
        role: 'application',
        'aria-roledescription': 'chart',
        'aria-label': `${spec.title}. ${spec.describe || ''} Arrow keys go through the values; Table below has them all.`,
        onkeydown: (event) => this.key(event),
        onblur: () => this.leave(),
      });
      this.rows = element('details', {ontoggle: () => this.fillTable()}, element('summary', {}, 'Table'));
      this.figure = element(
        'figure',
        {id: spec.id, class: spec.wide ? 'wide' : null, 'aria-labelledby': `${spec.id}-title`},
        element(
          'div',
          {class: 'head'},
          element('h3', {id: `${spec.id}-title`}, spec.title),
          element(
            'div',
            {class: 'tools'},
            ...selects,
            element(
              'button',
              {type: 'button', 'aria-label': `CSV of ${spec.title}`, onclick: () => this.saveCsv()},
              'CSV',
            ),
            element(
              'button',
              {type: 'button', 'aria-label': `SVG of ${spec.title}`, onclick: () => this.saveSvg()},
              'SVG',
            ),
          ),
        ),
        this.plot,
        spec.note ? element('figcaption', {}, spec.note) : null,
        this.rows,
      );
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
      const width = this.plot.clientWidth;
      const context = this.context(printing, width);
      const height = this.height(context);
      this.plot.style.height = `${height}px`;
      if (!this.instance) {
        this.instance = echarts.init(this.plot, null, {renderer: this.spec.canvas ? 'canvas' : 'svg'});
        if (this.spec.onclick) this.instance.on('click', (event) => this.spec.onclick(event, this));
        this.observer = new ResizeObserver(() => this.resize());
        this.observer.observe(this.plot);
      } else if (width !== this.width || height !== this.drawnHeight) {
        this.instance.resize();  // draws all anew
      }
      this.width = width;
      this.drawnHeight = height;
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
      const next =
        event.key === 'Home'
          ? 0
          : event.key === 'End'
            ? rows.length - 1
            : this.row < 0 && step > 0
              ? 0
              : this.row + step;
      this.row = Math.max(0, Math.min(rows.length - 1, next));
      const row = rows[this.row];
      say(
        columns
          .map(
            (c, at) =>
              `${at > 0 ? `${c.label}: ` : ''}${row[at] === null || row[at] === undefined ? 'none' : c.format ? c.format(row[at]) : row[at]}`,
          )
          .join(', '),
      );
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
      // Without the styles of a page, and the same whenever it is drawn.
      return text
        .replace(/<style[\s\S]*?<\/style>/g, '')
        .replace(/ class="zr[^"]*"/g, '')
        .replace(/(["#(])zr\d+-/g, '$1zr-');
    }

    saveCsv() {
      download(fileName(this.spec.id, 'csv'), 'text/csv', this.csv());
    }

    saveSvg() {
      download(fileName(this.spec.id, 'svg'), 'image/svg+xml', this.svg());
    }
  }

  // Charts are drawn one after another, so that the page answers in between.
  let printing = false;
  const waiting = [];
  let drawing = false;
  let settle;
  const ready = new Promise((resolve) => {
    settle = resolve;
  });
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
  const redraw = () =>
    charts.forEach((one) => {
      if (one.instance) one.draw();
    });
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  window.addEventListener('beforeprint', () => {
    printing = true;
    redraw();
  });
  window.addEventListener('afterprint', () => {
    printing = false;
    redraw();
  });

  Object.assign(bitline, {charts, ready, chart, tip, axis, frame, legend});
})();
