// SPDX-License-Identifier: Apache-2.0
// The sections of the report, in order.
'use strict';
report.summary();
report.energy();
report.area();
report.time();
report.slices();
report.accuracy();
report.network();
report.config();
