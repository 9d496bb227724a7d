"""Tables of conditions as programs and people write them."""

import pytest

from geoop.errors import UnreadableFileError
from geoop.io.collecting.table import as_number, read_table


@pytest.mark.parametrize(
    "text",
    [
        "case,U,alpha\na,10.5,2\nb,11,3\n",
        "case;U;alpha\na;10,5;2\nb;11;3\n",
        "case\tU\talpha\na\t10.5\t2\nb\t11\t3\n",
        "# made by hand\n\ncase, U, alpha\na, 10.5, 2\n\nb, 11, 3\n",
        '"case","U","alpha"\r\n"a","10,5","2"\r\n"b","11","3"\r\n',
        "case U alpha\na 10.5 2\nb 11 3\n",
        "case,U,alpha,,\na,10.5,2,,\nb,11,3,,\n,,,,\n",
        "case;U;alpha\n-;m/s;deg\na;10,5;2\nb;11;3\n",
    ],
    ids=["comma", "semicolon", "tab", "comments", "quoted", "blanks", "trailing", "units"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_all_ways_of_writing_a_table_say_the_same(tmp_path, text, encoding):
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding=encoding)
    table = read_table(path)
    assert table.headers == ("case", "U", "alpha")
    assert [[row[0], *map(as_number, row[1:])] for row in table.rows] == [["a", 10.5, 2.0], ["b", 11.0, 3.0]]


def test_a_header_in_the_last_comment_is_one(tmp_path):
    (tmp_path / "a.csv").write_text("# numpy.savetxt\n# run,U\n1,10\n2,11\n")
    assert read_table(tmp_path / "a.csv").headers == ("run", "U")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,5", 1.5),
        ("-2e-3", -2e-3),
        ("1.0D3", 1000.0),
        ("1,234.5", 1234.5),
        ("6,000,000", 6e6),
        ("−3", -3.0),
        ("", None),
        ("n/a", None),
        ("12 a", None),
    ],
)
def test_numbers_as_people_write_them(text, value):
    assert as_number(text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the table is empty"),
        ("1,2\n3,4\n", "numbers only"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2,3\n1,2\n1\n", "line 2 has 3, line 4 has 1"),
    ],
    ids=["empty", "headless", "rowless", "ragged"],
)
def test_what_is_no_table_says_why(tmp_path, text, words):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UnreadableFileError, match=words):
        read_table(tmp_path / "a.csv")


def test_workbooks_and_missing_files(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(UnreadableFileError, match="workbook") as caught:
        read_table(tmp_path / "a.xlsx")
    assert "CSV" in caught.value.remedy
    (tmp_path / "cases.csv").write_text("a\n1")
    with pytest.raises(UnreadableFileError) as caught:
        read_table(tmp_path / "case.csv")
    assert "cases.csv" in caught.value.remedy


def read_text(tmp_path, text):
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path)


def test_the_line_of_excel_about_the_separator_and_titles_are_no_header(tmp_path):
    table = read_text(tmp_path, "sep=;\nWind tunnel, March;;\n\nrun;U;rho\n;m/s;kg/m3\n1;30,5;1,2\n2;31;1,2\n")
    assert (table.headers, table.units) == (("run", "U", "rho"), ("", "m/s", "kg/m3"))
    assert table.rows == (("1", "30,5", "1,2"), ("2", "31", "1,2"))
    assert table.lines == (6, 7)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ('run,Re\na,"500,000"\nb,"1,200,000"\n', [500000.0, 1200000.0]),
        ("run;Re\na;500.000\nb;1.200.000\n", [500000.0, 1200000.0]),
        ("run;Re\na;1.500,5\nb;2,5\n", [1500.5, 2.5]),
        ("run;rho\na;1,225\nb;1,2\n", [1.225, 1.2]),
        ("run,rho\na,1.225\nb,1.2\n", [1.225, 1.2]),
        ("run;rho\na;1,225\nb;1,125\n", [1.225, 1.125]),
        ("run;rho\na;0.125\nb;30,5\n", [0.125, 30.5]),
    ],
)
def test_signs_between_thousands_are_told_from_decimal_signs(tmp_path, text, numbers):
    assert [as_number(row[1]) for row in read_text(tmp_path, text).rows] == numbers


@pytest.mark.parametrize(
    "text",
    ["run;U;Re\na;30,5;500.000\nb;31,5;700.000\n", "run\tU\tRe\na\t30.5\t500,000\n", 'run,Re\na,"500,000"\n'],
    ids=["point beside decimal comma", "comma beside decimal point", "quoted"],
)
def test_a_number_that_can_be_read_in_two_ways_is_an_error(tmp_path, text):
    with pytest.raises(UnreadableFileError, match=r"line 2: '500.000' may be 500000 or 500\.000"):
        read_text(tmp_path, text)
