// SPDX-License-Identifier: Apache-2.0
// Energy by component and layer, and from the chip to its components.
'use strict';
(() => {
  const {section, si, percent, area, chart, axis, frame, legend, tip, tick, ink} = bitline;
  const {data, layers} = report;

  function byLayer(grid) {
    const used = report.parts(data.energy_j.by_component);
    const names = layers.map((layer) => report.short(layer.name));
    const value = (layer, at, share) => {
      if (!share) return layer.energy.of[at];
      return layer.energy.total > 0 ? layer.energy.of[at] / layer.energy.total : 0;
    };
    const around = 76;
    chart({
      into: grid,
      id: 'energy-layers',
      title: 'Energy by layer and component',
      wide: true,
      canvas: layers.length > 150,
      describe: `A bar of ${used.length} components for each of ${layers.length} layers.`,
      note: 'Of an image, static energy shared among the layers by their crossbars. Choose components in the legend.',
      height: ({narrow}) => report.rowsHeight(layers.length, narrow ? 20 : 24, around),
      controls: [
        {
          label: 'Show',
          name: 'show',
          choices: [
            {value: 'energy', label: 'energy'},
            {value: 'share', label: 'share of the layer'},
          ],
        },
      ],
      option: ({theme, narrow, choice}) => {
        const share = choice.show === 'share';
        const zoom = report.rowZoom(theme, layers.length, narrow ? 20 : 24, around);
        return {
          grid: frame({top: 34, right: zoom.length > 0 ? 28 : 30}),
          legend: legend(theme),
          dataZoom: zoom,
          tooltip: {
            trigger: 'axis',
            axisPointer: {type: 'shadow'},
            formatter: (marks) => {
              const layer = layers[marks[0].dataIndex];
              const rows = used
                .filter((part) => layer.energy.of[part.at] > 0)
                .sort((a, b) => layer.energy.of[b.at] - layer.energy.of[a.at]);
              return tip(layer.name, [
                [
                  'total',
                  `${si(layer.energy.total, 'J')}, ${percent(layer.energy.total / data.energy_j.total)} of all`,
                ],
                ...rows
                  .slice(0, 8)
                  .map((part) => [
                    report.label(part.name),
                    si(layer.energy.of[part.at], 'J'),
                    theme.component(part.name),
                  ]),
              ]);
            },
          },
          xAxis: axis(theme, {
            type: 'value',
            max: share ? 1 : null,
            axisLabel: {formatter: (v) => (share ? `${Math.round(v * 100)} %` : tick(v, 'J')), hideOverlap: true},
            splitNumber: narrow ? 3 : 6,
          }),
          yAxis: axis(theme, {
            type: 'category',
            inverse: true,
            data: names,
            axisTick: {show: false},
            axisLabel: {color: theme.text, width: narrow ? 84 : 170, overflow: 'truncate'},
          }),
          series: used.map((part) => ({
            type: 'bar',
            stack: 'energy',
            name: report.label(part.name),
            barCategoryGap: '22%',
            itemStyle: {color: theme.component(part.name)},
            emphasis: {focus: 'none'},
            data: layers.map((layer) => value(layer, part.at, share)),
          })),
        };
      },
      table: () => ({
        columns: [
          {key: 'layer', label: 'Layer'},
          {key: 'energy_j', label: 'Energy', format: (v) => si(v, 'J')},
          {key: 'dynamic_j', label: 'Dynamic', format: (v) => si(v, 'J')},
          {key: 'static_j', label: 'Static', format: (v) => si(v, 'J')},
          ...used.map((part) => ({key: `${part.name}_j`, label: report.label(part.name), format: (v) => si(v, 'J')})),
        ],
        rows: layers.map((layer) => [
          layer.name,
          layer.energy.total,
          layer.energy.dynamic,
          layer.energy.fixed,
          ...used.map((part) => layer.energy.of[part.at]),
        ]),
      }),
    });
  }

  // From the chip through IMAs, tiles and network to each component.
  function flow(grid, spec) {
    const used = report.parts(spec.breakdown);
    const levels = Object.keys(report.levelName)
      .map((level) => ({
        level,
        value: used.filter((part) => report.levelOf(part.name) === level).reduce((sum, part) => sum + part.value, 0),
      }))
      .filter((one) => one.value > 0);
    const levelColour = (theme, level) =>
      ({IMA: theme.series[0], tile: theme.series[4], network: theme.series[7], other: theme.idle})[level];
    const whole = `${spec.whole}`;
    const text = (value) => `${spec.format(value)} (${percent(value / spec.total)})`;
    const rows = [
      ['chip', whole, spec.total, 1],
      ...levels.map((one) => ['level', report.levelName[one.level], one.value, one.value / spec.total]),
      ...used.map((part) => ['component', report.label(part.name), part.value, part.value / spec.total]),
    ];
    chart({
      into: grid,
      id: spec.id,
      title: spec.title,
      describe: spec.describe,
      note: spec.note,
      height: Math.max(320, used.length * 26 + 60),
      option: ({theme, narrow}) => ({
        tooltip: {
          formatter: (event) =>
            event.dataType === 'edge'
              ? tip(`${event.data.source} to ${event.data.target}`, [[spec.unit, text(event.data.value)]])
              : tip(event.name, [[spec.unit, text(event.value)]]),
        },
        series: [
          {
            type: 'sankey',
            left: 4,
            right: narrow ? 166 : 236,
            top: 8,
            bottom: 10,
            nodeWidth: 14,
            nodeGap: 16,
            draggable: false,
            layoutIterations: 0,
            emphasis: {focus: 'adjacency'},
            lineStyle: {color: 'gradient', opacity: 0.35},
            label: {
              color: theme.text,
              textBorderColor: theme.surface, // where flows pass below
              textBorderWidth: 3,
              fontSize: 12,
              formatter: ({name, value}) =>
                narrow
                  ? `${name} ${percent(value / spec.total)}`
                  : `${name}  ${spec.format(value)}, ${percent(value / spec.total)}`,
            },
            data: [
              {name: whole, itemStyle: {color: theme.idle}, label: {show: false}},
              ...levels.map((one) => ({
                name: report.levelName[one.level],
                itemStyle: {color: levelColour(theme, one.level)},
                label: {show: !narrow, formatter: ({name, value}) => `${name}  ${percent(value / spec.total)}`},
              })),
              ...used.map((part) => ({name: report.label(part.name), itemStyle: {color: theme.component(part.name)}})),
            ],
            links: [
              ...levels.map((one) => ({source: whole, target: report.levelName[one.level], value: one.value})),
              ...used.map((part) => ({
                source: report.levelName[report.levelOf(part.name)],
                target: report.label(part.name),
                value: part.value,
              })),
            ],
          },
        ],
      }),
      table: () => ({
        columns: [
          {key: 'of', label: 'Of'},
          {key: 'name', label: 'Name'},
          {key: spec.key, label: spec.unit, format: spec.format},
          {key: 'share', label: 'Share', format: percent},
        ],
        rows,
      }),
      at: (row) => ({seriesIndex: 0, dataIndex: row}),
    });
  }

  // Rings of layers and, around them, their components; many small layers are one.
  function rings(grid) {
    const total = data.energy_j.total;
    const used = report.parts(data.energy_j.by_component);
    const share = 0.01;
    const large = new Set(
      layers
        .filter((layer) => layer.energy.total / total >= share)
        .sort((a, b) => b.energy.total - a.energy.total)
        .slice(0, 1 / share),
    );
    const small = layers.filter((layer) => !large.has(layer) && layer.energy.total > 0);
    const parts = (some) =>
      used
        .map((part) => ({part, value: some.reduce((sum, layer) => sum + layer.energy.of[part.at], 0)}))
        .filter(({value}) => value > 0);
    const groups = layers
      .filter((layer) => large.has(layer))
      .map((layer) => ({name: layer.name, parts: parts([layer])}));
    if (small.length > 0)
      groups.push({name: small.length === 1 ? small[0].name : `${small.length} other layers`, parts: parts(small)});
    const value = (group) => group.parts.reduce((sum, one) => sum + one.value, 0);
    chart({
      into: grid,
      id: 'energy-rings',
      title: 'Energy of layers and their components',
      describe: 'Inner ring: layers; outer ring: the components of each.',
      note: 'Inner ring: layers with at least 1 %; outer ring: their components.',
      height: ({width}) => Math.max(300, Math.min(440, width)),
      option: ({theme, narrow}) => ({
        tooltip: {
          formatter: ({name, value: joule, treePathInfo}) =>
            tip(treePathInfo.length > 2 ? `${treePathInfo[1].name}, ${name}` : name || 'all layers', [
              ['energy', `${si(joule, 'J')} (${percent(joule / total)})`],
            ]),
        },
        series: [
          {
            type: 'sunburst',
            radius: ['18%', '96%'],
            nodeClick: false,
            sort: null,
            emphasis: {focus: 'ancestor'},
            itemStyle: {borderColor: theme.surface, borderWidth: 1},
            label: {minAngle: narrow ? 14 : 9, fontSize: 11},
            levels: [
              {},
              {r0: '18%', r: '62%', label: {rotate: 'radial', width: narrow ? 56 : 78, overflow: 'truncate'}},
              {r0: '62%', r: '96%', label: {rotate: 'radial', width: narrow ? 44 : 58, overflow: 'truncate'}},
            ],
            data: groups.map((group, at) => {
              const colour = theme.series[at % theme.series.length];
              return {
                name: group.name,
                itemStyle: {color: colour},
                label: {color: ink(colour)},
                children: group.parts.map(({part, value: joule}) => ({
                  name: report.label(part.name),
                  value: joule,
                  itemStyle: {color: theme.component(part.name)},
                  label: {color: ink(theme.component(part.name))},
                })),
              };
            }),
          },
        ],
      }),
      table: () => ({
        columns: [
          {key: 'layer', label: 'Layer'},
          {key: 'energy_j', label: 'Energy', format: (v) => si(v, 'J')},
          {key: 'share', label: 'Share', format: percent},
        ],
        rows: groups.map((group) => [group.name, value(group), value(group) / total]),
      }),
      at: (row) => ({
        seriesIndex: 0,
        dataIndex: 1 + groups.slice(0, row).reduce((sum, group) => sum + 1 + group.parts.length, 0),
      }),
    });
  }

  report.energy = () => {
    const grid = section(
      'energy',
      'Energy',
      `${si(data.energy_j.total, 'J')} an image: ${si(data.energy_j.dynamic, 'J')} by counted actions, ${si(data.energy_j.static, 'J')} by static power over time.`,
    );
    if (data.energy_j.total > 0) byLayer(grid);
    if (data.energy_j.total > 0)
      flow(grid, {
        id: 'energy-flow',
        title: 'Energy from chip to component',
        breakdown: data.energy_j.by_component,
        total: data.energy_j.total,
        whole: 'chip energy',
        unit: 'energy',
        key: 'energy_j',
        format: (v) => si(v, 'J'),
        describe: 'From the whole chip through IMAs, tiles and network to each component.',
        note: 'Of an image, all layers.',
      });
    if (data.energy_j.total > 0) rings(grid);
    else
      grid.append(
        bitline.element('p', {class: 'intro wide'}, 'The machine states no power, so there is no energy to show.'),
      );
  };
})();
