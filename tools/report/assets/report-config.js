// SPDX-License-Identifier: Apache-2.0
// The machine's constants with their sources, and what is needed to repeat the run.
'use strict';
(() => {
  const {element, section, table, si, count} = bitline;
  const {data} = report;

  function config(grid) {
    const {provenance} = data;
    const overrides = new Map(provenance.overrides.map((text) => [text.split('=')[0].trim(), text]));
    const rows = Object.entries(provenance.config).map(([key, {value, source}]) => [
      key,
      value,
      overrides.has(key) ? `--set ${overrides.get(key)}` : source,
    ]);
    const columns = [
      {key: 'key', label: 'Key'},
      {key: 'value', label: 'Value'},
      {key: 'source', label: 'Source'},
    ];
    const matching = (text) =>
      rows.filter((row) => row.some((cell) => cell.toLowerCase().includes(text.toLowerCase())));
    const found = element('span', {id: 'config-count', 'aria-live': 'polite'});
    const box = element('div', {class: 'config'});
    const show = (text) => {
      const now = matching(text);
      box.replaceChildren(table(columns, now, 'Constants of the machine'));
      found.textContent = `${count(now.length)} of ${count(rows.length)}`;
    };
    const input = element('input', {type: 'search', id: 'config-filter', oninput: (event) => show(event.target.value)});
    grid.append(
      element(
        'div',
        {class: 'card wide', id: 'config'},
        element(
          'div',
          {class: 'filter'},
          element('label', {for: 'config-filter'}, 'Find'),
          input,
          found,
          element(
            'button',
            {
              type: 'button',
              'aria-label': 'CSV of the constants',
              onclick: () =>
                bitline.download(`${document.body.dataset.stem}-config.csv`, 'text/csv', bitline.csv(columns, rows)),
            },
            'CSV',
          ),
        ),
        box,
      ),
    );
    show('');
  }

  function origin(grid) {
    const {provenance, wall_time_s: wall} = data;
    const rows = [
      ['Bitline', provenance.version],
      ['Mode', provenance.mode],
      ['Network', provenance.network],
      ['SHA-256', provenance.network_sha256],
      ['Machine', provenance.arch],
      ['SHA-256 of the constants', provenance.config_sha256],
      ['Set by hand', provenance.overrides.join(', ') || 'nothing'],
      ['Inputs', provenance.inputs],
      ['Calibration', provenance.calibration],
      ['Seed', provenance.seed],
      ['Images', `${count(provenance.images_streamed)} streamed, ${count(provenance.images_evaluated ?? 0)} evaluated`],
      ['Wall time', wall ? si(wall.total, 's') : undefined],
    ].filter(([, value]) => value !== undefined && value !== null);
    grid.append(
      element(
        'div',
        {class: 'card wide'},
        element(
          'dl',
          {class: 'provenance', id: 'provenance'},
          ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, String(value))]),
        ),
      ),
    );
  }

  report.config = () => {
    config(
      section(
        'config-section',
        'Configuration',
        'Every constant of the machine as it was used, with where it is from.',
      ),
    );
    origin(section('origin', 'Origin', 'What is needed to repeat this run.'));
  };
})();
