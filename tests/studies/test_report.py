"""The report of a study: what is in the file, and what Chromium makes of it."""

import base64
import re
import shutil
from html.parser import HTMLParser
from io import BytesIO

import matplotlib.image
import pytest
from typer.testing import CliRunner

from geoop.cli.app import app
from geoop.errors import DatasetError
from geoop.studies.report.page import write_report
from geoop.studies.report.study_folder import StudyFolder
from geoop.studies.report.text import described, markdown
from tests.studies.chromium import browser
from tests.studies.synthetic_study import EVIL, section_study, sphere_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = section_study(tmp_path_factory.mktemp("report") / "two sections")
    write_report(made)
    return made


class Page(HTMLParser):
    """Elements with their attributes, and the visible text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.inside, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "input", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_elements_are_closed_and_nothing_is_fetched(page):
    assert page.open == []
    addresses = [a[key] for _, a in page.elements for key in ("src", "href", "action", "data", "poster", "srcset") if key in a]
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in addresses)
    anchors = {a["href"][1:] for a in page.all("a")}
    assert anchors <= {a["id"] for _, a in page.elements if "id" in a}
    assert "link" not in {name for name, _ in page.elements} and not re.search(r"url\(|@import", "".join(page.words))


def test_pictures_are_embedded_and_described(page, folder):
    pictures = page.all("img")
    assert len(pictures) == 9  # a comparison; polars, pressure and two fields of each section
    assert all(len(a["alt"]) > 20 for a in pictures)
    for attributes in pictures:
        image = matplotlib.image.imread(BytesIO(base64.b64decode(attributes["src"].partition(",")[2])))
        assert image.shape[1] > 700 and image[..., :3].std() > 0.05
    assert {"polars.png", "polars_naca0012.png", "cp_naca2412.png", "open.py"} <= {path.name for path in folder.iterdir()}


def test_names_of_users_stay_text(page, folder):
    assert len(page.all("script")) == 1 and EVIL in "".join(page.words)
    assert "<script>alert" not in (folder / "report.html").read_text(encoding="utf-8")
    assert not [a for _, a in page.elements for key in a if key.startswith("on")]


def test_every_case_has_a_row_and_failed_ones_a_remedy(page, folder):
    rows = [a for a in page.all("tr") if "data-level" in a]
    levels = [a["data-level"] for a in rows]
    assert {name: levels.count(name) for name in set(levels)} == {"inside": 8, "edge": 2, "outside": 2, "failed": 1}
    text = " ".join(page.words)
    text = text[text.index("Read this first") :]  # behind the links
    assert "crosses itself at x = 0.71" in text and "geoop inspect broken.dat --repair mended.dat" in text
    assert "1 of 13 cases failed" in text[: text.index("Summary")] and text.index("Summary") < text.index("All cases") < text.index("Failed cases")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two angles, the wall only: a picture of its polars and one of its pressure."""
    made = section_study(tmp_path_factory.mktemp("small") / "one", ("0012",), (0.0, 4.0), fields=False, drag=False)
    write_report(made)
    return made


def test_the_report_follows_from_the_folder(small, tmp_path):
    shutil.copytree(small, tmp_path / "moved")
    text = (small / "report.html").read_text(encoding="utf-8")
    assert write_report(tmp_path / "moved").read_text(encoding="utf-8") == text
    assert str(tmp_path) not in text and str(small) not in text


def test_bodies_in_space_have_pictures_of_their_own(tmp_path):
    page = Page(write_report(sphere_study(tmp_path / "sphere")).read_text(encoding="utf-8"))
    said = [a["alt"] for a in page.all("img")]
    assert any(text.startswith("Pressure coefficient on sphere") for text in said) and any(text.startswith("Polars") for text in said)
    assert "no drag of zero" in " ".join(page.words)


def test_a_study_without_files_of_cases_is_reported_too(folder, tmp_path):
    for name in ("study.json", "table.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    page = Page(write_report(tmp_path).read_text(encoding="utf-8"))
    assert len(page.all("img")) == 3 and len([a for a in page.all("tr") if "data-level" in a]) == 13


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "lacks study.json and table.csv"),
        ({"study.json": "{", "table.csv": "case,geometry\na,b\n"}, "study.json is damaged"),
        ({"study.json": "[]", "table.csv": "level\ninside\n"}, "no column 'case'; table.csv has no column 'geometry'; study.json is no table"),
        ({"study.json": "{}", "table.csv": "case,geometry,CL\na,b,much\n"}, "table.csv is damaged"),
    ],
)
def test_what_is_no_study_is_refused(tmp_path, files, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(DatasetError, match=message):
        write_report(tmp_path)


def test_an_empty_study_and_one_of_failures_only(tmp_path):
    (tmp_path / "study.json").write_text("{}")
    (tmp_path / "table.csv").write_text("case,geometry,alpha [deg],CL,outcome,message\na,b,1.0,,failed,no section\n")
    assert "no section" in write_report(tmp_path).read_text(encoding="utf-8")
    (tmp_path / "table.csv").write_text("case,geometry\n")
    assert "All cases" in write_report(tmp_path).read_text(encoding="utf-8")


def test_markdown_of_cards():
    text = "# Card\n\nFor `CL` and **Cp**,\ntwo lines.\n\n- one <b>\n  more\n- two\n\n| a | b |\n| --- | ---: |\n| 1 | <i> |\n\n    geoop study\n\n```\nx < y\n```\n1. first"
    assert markdown(text).split("\n") == [
        "<h3>Card</h3>",
        "<p>For <code>CL</code> and <strong>Cp</strong>, two lines.</p>",
        "<ul><li>one &lt;b&gt; more</li><li>two</li></ul>",
        '<table><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead><tbody><tr><td>1</td><td>&lt;i&gt;</td></tr></tbody></table>',
        "<pre>geoop study</pre>",
        "<pre>x &lt; y</pre>",
        "<ol><li>first</li></ol>",
    ]
    assert described({"a_b": {"c": True}, "d": [1.5, 2]}) == "<dl><dt>a b</dt><dd><dl><dt>c</dt><dd>yes</dd></dl></dd><dt>d</dt><dd>1.5, 2</dd></dl>"


def test_inputs_that_vary(folder):
    study = StudyFolder.open(folder)
    assert study.varying() == ("alpha [deg]",) and study.inputs[:2] == ("alpha [deg]", "velocity [m/s]")
    assert study.file({"case": "../study"}, ".json") is None


def test_command_line(small):
    done = CliRunner().invoke(app, ["report", str(small), "--json"])
    assert done.exit_code == 0 and "report.html" in done.output


@pytest.mark.chromium
def test_chromium_shows_it(folder, tmp_path):
    with browser(tmp_path / "profile") as tab:
        tab.open((folder / "report.html").as_uri())
        assert (
            tab.ask("Array.from(document.images).every((image) => image.complete && image.naturalWidth > 0)")
            and tab.ask("document.images.length") == 9
        )
        assert tab.requests == [(folder / "report.html").as_uri()]
        column = "Array.from(document.querySelectorAll('#case-table tbody tr:not([hidden])')).map((row) => row.cells[{}].textContent)"
        heads = tab.ask("Array.from(document.querySelectorAll('#case-table th')).map((head) => head.textContent)")
        place = heads.index("CL")
        lift = [text.split(" ±")[0].replace("−", "-") for text in tab.ask(column.format(place))]
        press = f"document.querySelectorAll('#case-table th button')[{place}].click()"
        for order in (1, -1):
            tab.ask(press)
            found = [text.split(" ±")[0].replace("−", "-") for text in tab.ask(column.format(place))]
            assert found == sorted(filter(None, lift), key=lambda text: order * float(text)) + [""]  # the failed case has no lift
        tab.ask("document.querySelector('#words').value = '2412'; document.querySelector('#words').dispatchEvent(new Event('input'))")
        assert len(tab.ask(column.format(0))) == 6 and tab.ask("document.querySelector('#count').textContent") == "6 of 13 cases"
        tab.ask("document.querySelector('#level').value = 'edge'; document.querySelector('#level').dispatchEvent(new Event('change'))")
        assert tab.ask(column.format(0)) == ["naca2412_a12"]
        assert tab.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        light, dark = (matplotlib.image.imread(tab.picture(tmp_path / f"{dark}.png", dark=dark, height=900))[..., :3] for dark in (False, True))
        assert light.std() > 0.05 and dark[-20:, :20].mean() < 0.2 < 0.8 < light[-20:, :20].mean()
        assert len(re.findall(rb"/Type\s*/Page\b", tab.printed())) >= 3
        assert tab.complaints == []


@pytest.mark.chromium
def test_without_scripts_the_table_is_there(folder, tmp_path):
    with browser(tmp_path / "profile") as tab:
        tab.send("Emulation.setScriptExecutionDisabled", value=True)
        tab.open((folder / "report.html").as_uri())
        root = tab.send("DOM.getDocument")["root"]["nodeId"]
        assert len(tab.send("DOM.querySelectorAll", nodeId=root, selector="#case-table tbody tr")["nodeIds"]) == 13
        assert tab.send("DOM.querySelectorAll", nodeId=root, selector="#tools[hidden]")["nodeIds"]
