// SPDX-License-Identifier: Apache-2.0
// Common to all pages: numbers with units, elements, tables, colours, files.
'use strict';
const bitline = (() => {
  const data = JSON.parse(document.getElementById('data').textContent);
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
  const tick = (value, unit = '') =>
    si(value, unit)
      .replace(/(\.\d*?)0+(?= |$)/, '$1')
      .replace(/\.(?= |$)/, '');
  // Four digits: a number that is no multiple of a unit.
  const plain = (value) => (value === null || value === undefined ? 'none' : String(Number(value.toPrecision(4))));
  const count = (value) =>
    value === null || value === undefined ? 'none' : DECIMAL.format(value).replaceAll(',', '\u202f');
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
      else if (value !== null && value !== undefined && value !== false)
        made.setAttribute(name, value === true ? '' : value);
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
    document
      .getElementById('main')
      .append(
        element(
          'section',
          {id, 'aria-labelledby': `${id}-title`},
          element('h2', {id: `${id}-title`}, title),
          intro ? element('p', {class: 'intro'}, intro) : null,
          grid,
        ),
      );
    return grid;
  }

  // columns: [{key, label, format?}] ('format' makes a cell's text; numbers are right-aligned); the first is the row's header.
  function table(columns, rows, caption, limit = 1000) {
    const number = (at) => rows.length > 0 && typeof rows[0][at] === 'number';
    const cell = (tag, at, text, more = {}) => element(tag, {class: number(at) ? 'number' : null, ...more}, text);
    const text = (column, value) =>
      value === null || value === undefined ? '–' : column.format ? column.format(value) : String(value);
    const body = rows
      .slice(0, limit)
      .map((row) =>
        element(
          'tr',
          {},
          ...columns.map((column, at) =>
            at === 0 ? cell('th', at, text(column, row[at]), {scope: 'row'}) : cell('td', at, text(column, row[at])),
          ),
        ),
      );
    const made = element(
      'table',
      {},
      element('caption', {class: 'hidden'}, caption),
      element(
        'thead',
        {},
        element('tr', {}, ...columns.map((column, at) => cell('th', at, column.label, {scope: 'col'}))),
      ),
      element('tbody', {}, ...body),
    );
    const more =
      rows.length > limit ? element('p', {}, `${count(rows.length - limit)} more rows are in the CSV file.`) : null;
    return element('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption}, made, more);
  }

  // --- colours ---------------------------------------------------------------------------------------------
  // theme.text, theme.surface, theme['wait-input'], theme.series[i], theme.scale[i], theme.component('adc').
  function theme(light = false) {
    const style = getComputedStyle(light ? document.getElementById('light') : document.documentElement);
    const names = [
      'page',
      'surface',
      'text',
      'muted',
      'line',
      'grid',
      'control',
      'accent',
      'bad',
      'busy',
      'wait-input',
      'wait-output',
      'idle',
    ];
    const variable = (name) => style.getPropertyValue(`--${name}`).trim();
    const made = Object.fromEntries(names.map((name) => [name, variable(name)]));
    made.series = Array.from({length: 10}, (_, i) => variable(`series-${i}`));
    made.scale = Array.from({length: 5}, (_, i) => variable(`scale-${i}`));
    made.component = (name) => variable(`c-${name.replaceAll('_', '-')}`) || made.idle;
    made.font = (style.fontFamily || 'sans-serif').replaceAll('"', "'"); // it stands in an attribute of SVG
    return made;
  }
  function channels(colour) {
    const hex = /^#([0-9a-f]{6})$/i.exec(colour);
    if (hex) return [0, 2, 4].map((at) => parseInt(hex[1].slice(at, at + 2), 16));
    return (colour.match(/[\d.]+/g) || ['0', '0', '0']).slice(0, 3).map(Number);
  }
  function luminance(colour) {
    const [r, g, b] = channels(colour).map((c) =>
      c <= 10.31475 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  // The one of black and white that is easier to read on a colour.
  const ink = (colour) => (luminance(colour) > 0.179 ? '#000000' : '#ffffff');
  // A colour of the scale for a share in [0, 1].
  function shade(colours, share) {
    const at = Math.max(0, Math.min(1, share)) * (colours.length - 1);
    const low = Math.min(Math.floor(at), colours.length - 2);
    const [a, b] = [channels(colours[low]), channels(colours[low + 1])];
    return `#${a
      .map((c, i) =>
        Math.round(c + (b[i] - c) * (at - low))
          .toString(16)
          .padStart(2, '0'),
      )
      .join('')}`;
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
  const csv = (columns, rows) =>
    [columns.map((c) => c.key), ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join('');
  const fileName = (id, suffix) => `${document.body.dataset.stem || 'bitline'}-${id}.${suffix}`;
  const say = (text) => {
    document.getElementById('live').textContent = text;
  };

  return {
    data,
    si,
    tick,
    plain,
    count,
    percent,
    area,
    element,
    escape,
    section,
    table,
    theme,
    ink,
    shade,
    luminance,
    csv,
    download,
    fileName,
    say,
  };
})();
