// SPDX-License-Identifier: Apache-2.0
// Area by component, and the floorplan beside it.
'use strict';
(() => {
  const {section, percent, area, chart, tip, ink} = bitline;
  const {data} = report;

  function treemap(grid) {
    const used = report.parts(data.area_mm2.by_component);
    const total = data.area_mm2.total;
    const levels = Object.keys(report.levelName)
      .map((level) => ({
        name: report.levelName[level],
        parts: used.filter((part) => report.levelOf(part.name) === level),
      }))
      .filter((one) => one.parts.length > 0);
    const rows = used.map((part) => [
      report.label(part.name),
      report.levelName[report.levelOf(part.name)],
      part.value,
      part.value / total,
    ]);
    chart({
      into: grid,
      id: 'area',
      title: 'Area by component',
      describe: 'A rectangle for each component, as large as its share of the area, by IMAs, tiles and network.',
      note: `${area(total)}${data.chips > 1 ? ` on ${data.chips} chips` : ''}, used or not.`,
      height: 380,
      option: ({theme}) => ({
        tooltip: {formatter: ({name, value}) => tip(name, [['area', `${area(value)} (${percent(value / total)})`]])},
        series: [
          {
            type: 'treemap',
            animation: false, // its labels would fade in all the same
            left: 0,
            right: 0,
            top: 4,
            bottom: 4,
            roam: false,
            nodeClick: false,
            breadcrumb: {show: false},
            upperLabel: {
              show: true,
              height: 22,
              color: theme.text,
              formatter: ({name, value}) => `${name}  ${area(value)}`,
            },
            itemStyle: {borderColor: theme.surface, gapWidth: 2},
            levels: [
              {itemStyle: {borderWidth: 0, gapWidth: 6}, upperLabel: {show: false}},
              {itemStyle: {borderColor: theme.grid, borderWidth: 4, gapWidth: 2}},
            ],
            data: levels.map((level) => ({
              name: level.name,
              value: level.parts.reduce((sum, part) => sum + part.value, 0),
              children: level.parts.map((part) => {
                const colour = theme.component(part.name);
                return {
                  name: report.label(part.name),
                  value: part.value,
                  itemStyle: {color: colour},
                  label: {
                    show: part.value / total > 0.025,
                    color: ink(colour),
                    overflow: 'truncate',
                    lineHeight: 16,
                    formatter: () => `${report.label(part.name)}\n${area(part.value)}`,
                  },
                };
              }),
            })),
          },
        ],
      }),
      table: () => ({
        columns: [
          {key: 'component', label: 'Component'},
          {key: 'of', label: 'Of'},
          {key: 'area_mm2', label: 'Area', format: area},
          {key: 'share', label: 'Share', format: percent},
        ],
        rows,
      }),
      at: (row) => ({seriesIndex: 0, name: rows[row][0]}),
    });
  }

  report.area = () => {
    const grid = section('area-section', 'Area and floorplan');
    if (data.area_mm2.total > 0) treemap(grid);
    else grid.append(bitline.element('p', {class: 'intro wide'}, 'The machine states no area.'));
    report.floorplan(grid);
  };
})();
