# SPDX-License-Identifier: Apache-2.0
"""The README's table of published against simulated numbers is what the program gives now."""

import table


def test_every_difference_above_5_percent_has_a_reason_and_the_readme_shows_the_table():
    rows = list(table.rows())
    assert not table.unexplained(rows)
    assert table.in_readme() == table.markdown(rows)


def test_a_difference_without_a_reason_is_found():
    assert table.unexplained([("chip", "power", 1.0, 1.06, "")])
    assert table.unexplained([("chip", "power", 1.0, 1.04, "not needed")])
    assert not table.unexplained([("chip", "power", 1.0, 0.9, "because"), ("chip", "area", 1.0, 1.0, "")])
