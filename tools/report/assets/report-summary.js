// SPDX-License-Identifier: Apache-2.0
// Key figures, accuracy, chips that are not ideal.
'use strict';
(() => {
  const {element, section, si, count, percent, area, plain, chart, axis, frame, tip, ink, shade} = bitline;
  const {data} = report;

  // figure('latency_s.image', 'Latency', '158.8 µs', 'of an image'): `key` is where the value is in result.json.
  const figure = (key, name, value, more) =>
    element(
      'div',
      {'data-key': key},
      element('dt', {}, name),
      element('dd', {class: 'value'}, value),
      more ? element('dd', {class: 'more'}, more) : null,
    );
  const fraction = (value, digits = 2) =>
    value === undefined || value === null ? 'none' : `${(value * 100).toFixed(digits)} %`;

  report.summary = () => {
    const grid = section('summary', 'Summary');
    const {latency_s: latency, energy_j: energy, crossbars, adc, noc, provenance} = data;
    const figures = [];
    if (data.accuracy)
      figures.push(
        figure(
          'accuracy.top1',
          'Accuracy, top-1',
          fraction(data.accuracy.top1),
          `float32 ${fraction(data.accuracy.float_top1)}; top-5 ${fraction(data.accuracy.top5)}; ${count(data.accuracy.images)} images`,
        ),
      );
    figures.push(
      figure(
        'latency_s.image',
        'Latency',
        si(latency.image, 's'),
        `of an image; all: ${si(latency.total, 's')}, ${count(data.cycles)} cycles`,
      ),
      figure(
        'throughput_ips',
        'Images per second',
        data.throughput_ips < 1000 ? plain(data.throughput_ips) : count(data.throughput_ips),
        provenance.images_streamed > 1
          ? `an image every ${si(latency.interval, 's')}; ${count(provenance.images_streamed)} streamed`
          : 'one image after another',
      ),
      figure(
        'energy_j.total',
        'Energy',
        si(energy.total, 'J'),
        `of an image; dynamic ${si(energy.dynamic, 'J')}, static ${si(energy.static, 'J')}`,
      ),
      figure('power_w', 'Mean power', si(data.power_w, 'W'), 'over the whole run'),
      figure(
        'area_mm2.total',
        data.chips > 1 ? 'Area of all chips' : 'Chip area',
        area(data.area_mm2.total),
        data.chips > 1 ? `${count(data.chips)} chips` : 'used or not',
      ),
      figure(
        'tops',
        'Performance',
        si(data.tops * 1e12, 'OPS'),
        `${data.tops_per_w === null ? 'no power stated' : si(data.tops_per_w * 1e12, 'OPS/W')}, ` +
          `${data.tops_per_mm2 === null ? 'no area stated' : si(data.tops_per_mm2 * 1e12, 'OPS/mm²')}; two per MAC`,
      ),
      figure(
        'crossbars.used',
        'Crossbars',
        count(crossbars.used),
        `of ${count(crossbars.available)}; ${percent(crossbars.cell_utilization)} of their cells hold a weight`,
      ),
      figure(
        'adc.conversions',
        'ADC conversions',
        count(adc.conversions),
        `${count(adc.clipped)} clipped${adc.conversions > 0 ? ` (${percent(adc.clipped / adc.conversions)})` : ''}${adc.gated > 0 ? `, ${count(adc.gated)} gated` : ''}; ${provenance.images_streamed === 1 ? 'one image' : `${count(provenance.images_streamed)} images`}`,
      ),
    );
    if (noc)
      figures.push(
        figure(
          'noc.bytes',
          'Network on chip',
          `${count(noc.bytes)} B`,
          `an image, ${count(noc.hop_bytes)} hop-bytes${
            noc.between_chips > 0 ? `; ${count(noc.between_chips)} B between chips` : ''
          }; ${noc.placement}`,
        ),
      );
    const phases = data.reprogramming;
    if (phases)
      figures.push(
        figure(
          'reprogramming.phases',
          'Phases',
          count(phases.phases),
          `writing takes ${si(phases.write_latency_s, 's')} and ${si(phases.write_energy_j, 'J')}; ` +
            `${count(phases.writes_per_cell)} writes of a cell`,
        ),
      );
    if (data.estimate) {
      const error = data.estimate.expected_error;
      figures.push(
        figure(
          'estimate.expected_error.latency',
          'Expected error',
          `${percent(error.latency)} latency`,
          `${percent(error.interval)} interval, ${percent(error.energy)} energy, against mode cycle; activity ${data.estimate.activity}`,
        ),
      );
    }
    grid.append(element('dl', {class: 'figures'}, ...figures));
    if (data.rounded)
      grid.append(
        element(
          'p',
          {class: 'intro wide'},
          'This network is large: numbers on this page have six digits, those of result.json all.',
        ),
      );
  };

  function confusion(grid) {
    const {classes, confusion: cells, images} = data.accuracy;
    const most = Math.max(...cells.map(([, , n]) => n));
    const rows = cells.map(([truth, predicted, n]) => [truth, predicted, n]);
    chart({
      into: grid,
      id: 'confusion',
      title: 'Confusion matrix',
      canvas: classes > 40,
      describe: `Images by class (rows) and predicted class (columns), ${classes} classes.`,
      note: `${count(images)} images. Rows: the label; columns: what was predicted. Off the diagonal is wrong.`,
      height: ({width}) => Math.min(560, Math.max(260, width * 0.75)),
      option: ({theme, width}) => ({
        grid: frame({left: 28, right: 12, bottom: 28}),
        tooltip: {
          formatter: ({value: [x, y, n]}) =>
            tip(x === y ? `class ${y}` : `class ${y} taken for ${x}`, [['images', count(n)]]),
        },
        xAxis: axis(theme, {
          type: 'category',
          name: 'predicted',
          nameLocation: 'middle',
          nameGap: 26,
          data: Array.from({length: classes}, (_, i) => i),
          splitLine: {show: false},
        }),
        yAxis: axis(theme, {
          type: 'category',
          inverse: true,
          name: 'label',
          nameLocation: 'middle',
          nameGap: 30,
          data: Array.from({length: classes}, (_, i) => i),
          splitLine: {show: false},
        }),
        series: [
          {
            type: 'heatmap',
            data: rows.map(([truth, predicted, n]) => {
              const colour = shade(theme.scale, Math.sqrt(n / most));
              return {
                value: [predicted, truth, n],
                itemStyle: {color: colour, borderColor: theme.surface, borderWidth: classes > 40 ? 0 : 1},
                label: {show: width / classes > 28, color: ink(colour), formatter: String(n)},
              };
            }),
          },
        ],
      }),
      table: () => ({
        columns: [
          {key: 'label', label: 'Label'},
          {key: 'predicted', label: 'Predicted'},
          {key: 'images', label: 'Images', format: count},
        ],
        rows,
      }),
    });
  }

  function perClass(grid) {
    const {classes, confusion: cells} = data.accuracy;
    const right = new Array(classes).fill(0);
    const all = new Array(classes).fill(0);
    for (const [truth, predicted, n] of cells) {
      all[truth] += n;
      if (truth === predicted) right[truth] += n;
    }
    const rows = all.map((n, i) => [i, n > 0 ? right[i] / n : null, n]);
    chart({
      into: grid,
      id: 'class-accuracy',
      title: 'Accuracy by class',
      describe: 'Share of the images of each class that were recognised.',
      canvas: classes > 200,
      note: 'Images of a class that were recognised as it.',
      height: ({width}) => Math.min(560, Math.max(260, width * 0.75)),
      option: ({theme}) => ({
        grid: frame({right: 12, bottom: 28}),
        tooltip: {
          formatter: ({dataIndex}) =>
            tip(`class ${rows[dataIndex][0]}`, [
              ['recognised', fraction(rows[dataIndex][1])],
              ['images', count(rows[dataIndex][2])],
            ]),
        },
        xAxis: axis(theme, {
          type: 'category',
          data: rows.map((row) => row[0]),
          name: 'class',
          nameLocation: 'middle',
          nameGap: 28,
        }),
        yAxis: axis(theme, {type: 'value', min: 0, max: 1, axisLabel: {formatter: (v) => `${v * 100} %`}}),
        series: [{type: 'bar', data: rows.map((row) => row[1]), itemStyle: {color: theme.busy}, barMaxWidth: 36}],
      }),
      table: () => ({
        columns: [
          {key: 'class', label: 'Class'},
          {key: 'accuracy', label: 'Recognised', format: fraction},
          {key: 'images', label: 'Images', format: count},
        ],
        rows,
      }),
    });
  }

  function chips(grid) {
    const {device} = data;
    const accuracy = device.chips.some((chip) => chip.top1 !== undefined);
    const value = (chip) => (accuracy ? chip.top1 : chip.output_rms_error);
    const rows = device.chips.map((chip) => [
      chip.seed,
      chip.top1 ?? null,
      chip.output_rms_error,
      chip.column_sum_rms_error,
      chip.stuck_cells,
    ]);
    const spread = accuracy ? device.top1 : device.output_rms_error;
    const interval =
      spread && spread.ci95
        ? `, 95 % confidence interval of the mean ${fraction(spread.ci95[0])} to ${fraction(spread.ci95[1])}`
        : '';
    chart({
      into: grid,
      id: 'chips',
      title: accuracy ? 'Accuracy by chip' : 'Error of the outputs by chip',
      wide: true,
      describe: 'A bar for each simulated chip.',
      note: `Effects: ${device.effects.join(', ')}. ${count(device.chips.length)} chips${spread ? `, mean ${fraction(spread.mean)}${interval}` : ''}${
        device.ideal_top1 !== undefined ? `; exact integers ${fraction(device.ideal_top1)}` : ''
      }.`,
      height: 260,
      option: ({theme}) => ({
        grid: frame({bottom: 28}),
        tooltip: {
          formatter: ({dataIndex}) =>
            tip(`seed ${rows[dataIndex][0]}`, [
              ['top-1', fraction(rows[dataIndex][1])],
              ['outputs, rms error', fraction(rows[dataIndex][2])],
              ['column sums, rms error', plain(rows[dataIndex][3])],
              ['stuck cells', count(rows[dataIndex][4])],
            ]),
        },
        xAxis: axis(theme, {
          type: 'category',
          name: 'seed',
          nameLocation: 'middle',
          nameGap: 28,
          data: rows.map((row) => String(row[0])),
        }),
        yAxis: axis(theme, {
          type: 'value',
          min: 0,
          max: accuracy ? 1 : null,
          axisLabel: {formatter: (v) => `${plain(v * 100)} %`},
        }),
        series: [{type: 'bar', data: device.chips.map(value), itemStyle: {color: theme.busy}, barMaxWidth: 40}],
      }),
      table: () => ({
        columns: [
          {key: 'seed', label: 'Seed', format: String},
          {key: 'top1', label: 'Top-1', format: fraction},
          {key: 'output_rms_error', label: 'Outputs, rms error', format: fraction},
          {key: 'column_sum_rms_error', label: 'Column sums, rms error', format: plain},
          {key: 'stuck_cells', label: 'Stuck cells', format: count},
        ],
        rows,
      }),
    });
  }

  report.accuracy = () => {
    const matrix = data.accuracy && data.accuracy.confusion && data.accuracy.confusion.length > 0;
    if (!matrix && !data.device) return;
    const grid = section('accuracy', 'Accuracy', matrix && data.device ? 'The matrix is of the first chip.' : '');
    if (matrix) {
      confusion(grid);
      perClass(grid);
    }
    if (data.device) chips(grid);
  };
})();
