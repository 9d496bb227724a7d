"""The benchmark of linear cost measures what it says."""

import benchmark_operators_scaling as scaling
import pytest


def test_exponents_of_known_laws():
    points = [10, 100, 1000]
    assert abs(scaling.exponent(points, [3.0 * n for n in points]) - 1) < 1e-12
    assert abs(scaling.exponent(points, [0.1 * n**2 for n in points]) - 2) < 1e-12


def test_a_small_run_in_a_process_of_its_own(capsys):
    scaling.main(["--points", "2000", "--channels", "4", "--repeat", "1"])
    table = capsys.readouterr().out
    assert "| 2,000 |" in table and "exponent" not in table and "nan" not in table


def test_the_table_says_the_exponents():
    rows = [dict.fromkeys(scaling.COLUMNS, 2.0 * n) for n in (100, 1000)]
    assert scaling.table([100, 1000], rows).splitlines()[-2] == "| exponent | 1.00 | 1.00 | 1.00 | 1.00 |"


def test_help_is_there(capsys):
    with pytest.raises(SystemExit):
        scaling.main(["-h"])
    assert "tools/benchmark" in capsys.readouterr().out
