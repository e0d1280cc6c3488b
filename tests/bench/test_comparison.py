"""What bench/compare says, computes and draws, without running a server."""
import json
import re
import types
import xml.etree.ElementTree

import pytest
from comparison import chart, targets, texts, works
from comparison.document import SECTIONS, Document, between_marks
from comparison.results import Results
from comparison.tables import digits, spread

OPTIONS = types.SimpleNamespace(build="/nowhere", set=[])
TARGETS = {target.name: target(OPTIONS) for target in targets.ALL}


def said(name, flag, kind):
    arguments = TARGETS[name].load(kind, 8080)
    return arguments[arguments.index(flag) + 1]


def run(cost, **more):
    return {"server": {"cpu_us_per_message": cost, "rss_per_connection": 1024 * cost, "rss_bytes": 2**20, "cpu_share": 0.5},
            "messages_per_s": 1e6 / cost, "generator": {"bound": False, "cpu_share": 0.5}, "latency_us": {"p99": 100 * cost},
            "baseline": {"latency_us": {"p99": 90 * cost}}, "p99_ratio": 1.1, "rss_max_bytes": 2**24,
            "stalled": {"closed_by_server": 100}, "error": None, "others_share": 0.01, **more}


def results_of(costs, keys=None):
    """Results in which each target costs what `costs` says, in every work it can do; three rounds."""
    results = Results(about={"date": "2030-01-02", "machine": "a machine", "system": "Linux", "compiler": "g++", "seconds": 1.5,
                             "pinned": True, "versions": {name: "1.0" for name in costs}, "missing": {}})
    for work in works.all_works():
        if keys and work.key not in keys:
            continue
        results.forget(work)
        for factor in (1.0, 1.1, 0.9):
            for name, cost in costs.items():
                if work.wants(TARGETS[name]):
                    results.add(work, name, run(cost * factor))
    return results


ALL_COSTS = {name: 1.0 + index for index, name in enumerate(targets.NAMES)}


def test_calls_have_one_size_for_everybody():
    sizes = {texts.size(said(name, "--payload", kind)) for name, target in TARGETS.items() for kind in ("echo", "jsonrpc")
             if kind in target.kinds}
    assert len(sizes) == 1


def around(name):
    """What surrounds a publication's text when it is delivered."""
    return {"hubbub": texts.NOTIFICATION, "rpc-websockets": '{"notification":"bench","params":[]}',
            "socket.io": '42["message",]', "nats": "MSG bench 1 1024\r\n\r\n"}.get(name, "")


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if "fanout" in target.kinds])
@pytest.mark.parametrize("kind", ["fanout", "large", "deflate", "slow"])
def test_publications_have_one_size_when_delivered(name, kind):
    if kind not in TARGETS[name].kinds:
        return
    wanted = texts.delivered(kind)
    if name == "hubbub" and kind not in texts.DOCUMENTS:
        assert int(said(name, "--bytes", kind)) + len(texts.NOTIFICATION) + 2 == wanted
        return
    text = said(name, "--publish", kind)
    data = {"hubbub": lambda: text[text.index('"data":') + 7:-2], "rpc-websockets": lambda: text[text.index("[") + 1:-2],
            "socket.io": lambda: text[len('42["publish",'):-1],
            "nats": lambda: text.split("\\r\\n")[1]}.get(name, lambda: text)()
    # NATS announces a size of its own, of which a digit more or less is no matter.
    assert abs(texts.size(data) + len(around(name)) - wanted) <= (1 if name == "nats" else 0)


def test_a_publication_to_nats_announces_its_size():
    command, data, rest = said("nats", "--publish", "fanout").split("\\r\\n")
    assert command == f"PUB bench {texts.size(data)}" and rest == ""


@pytest.mark.parametrize("total", [300, 932, 1024])
def test_a_document_is_json_of_the_size_asked_for(total):
    text = texts.document(total).replace(texts.NUMBER, "10000001")
    assert len(text) == total
    assert json.loads(text)["seq"] == 10000001


def test_every_work_a_server_cannot_do_is_explained():
    from comparison.tables import CANNOT
    for target in TARGETS.values():
        for kind in targets.ALL_KINDS - target.kinds:
            assert CANNOT[target.name, kind]


def test_works_are_selected_by_key_and_by_group():
    assert [work.key for work in works.select(["fanout"], False)] == ["fanout-1", "fanout-16"]
    assert [work.key for work in works.select(["idle", "echo-16"], False)] == ["echo-16", "idle"]
    with pytest.raises(ValueError, match="no such work: nonsense"):
        works.select(["nonsense"], False)


def test_a_quick_try_has_every_kind_of_work_and_few_connections():
    tried = works.select([], True)
    assert {work.kind for work in tried} == targets.ALL_KINDS
    assert max(work.connections for work in tried) <= 100


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    results = Results()
    work = works.select(["echo-1"], False)[0]
    results.forget(work)
    for floor, ours in ((1.0, 2.0), (10.0, 10.0), (1.0, 3.0)):
        results.add(work, "floor", run(floor))
        results.add(work, "bun", run(ours))
    assert results.ratio("echo-1", "bun") == 2.0


def test_a_failed_run_gives_no_number_and_spoils_no_other():
    results = results_of({"floor": 1.0, "bun": 2.0}, ["echo-1"])
    results.add(works.select(["echo-1"], False)[0], "bun", {"error": "reply missing"})
    assert len(results.values("echo-1", "bun", "server.cpu_us_per_message")) == 3
    assert results.all_errors() == [("echo-1", "bun", "reply missing")]
    assert "- bun (uWebSockets), echo-1: reply missing" in Document(results).markdown()


def test_results_survive_being_saved(tmp_path):
    results = results_of({"floor": 1.0, "hubbub": 1.5})
    results.save(tmp_path / "results.json")
    again = Results.load(tmp_path / "results.json")
    assert (again.about, again.works) == (results.about, results.works)


def test_numbers_are_shown_with_three_digits_that_count():
    assert [digits(value) for value in (0.3494, 2.446, 24.26, 1234.5, None)] == ["0.349", "2.45", "24.26", "1,234", "-"]
    assert spread([2.0, 1.0, 3.0]) == "2.00 (1.00-3.00)"
    assert spread([]) == "-"


def test_the_page_has_all_works_servers_and_charts():
    page = Document(results_of(ALL_COSTS)).markdown()
    for section in SECTIONS:
        assert f"\n## {section.title}\n" in page
    for target in targets.ALL:
        assert f"| {target.title} | 1.0 |" in page
    assert "failed" not in page and "3 rounds of 1.5 s" in page
    # Every row of a table has as many cells as its head.
    for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        assert len({line.count(" | ") for line in block.splitlines()}) == 1, block


def test_the_page_of_a_few_works_has_only_those():
    page = Document(results_of({"hubbub": 2.0, "ws": 5.0}, ["fanout-16", "fanout-1"])).markdown()
    assert "## Fan-out" in page and "## Idle" not in page and "× floor |" not in page


def test_charts_are_small_and_well_formed():
    charts = Document(results_of(ALL_COSTS)).charts
    assert set(charts) == {"calls.svg", "fanout.svg", "compressed.svg", "idle.svg", "connect.svg", "growth.svg"}
    for svg in charts.values():
        assert len(svg.encode()) <= 20_000
        root = xml.etree.ElementTree.fromstring(svg)
        assert root.find("{http://www.w3.org/2000/svg}title").text
        assert "prefers-color-scheme: dark" in svg


def test_ticks_are_round_and_reach_the_end():
    assert chart.ticks(9.2) == [0, 2, 4, 6, 8]
    assert chart.ticks(0.35) == pytest.approx([0, 0.1, 0.2, 0.3])
    assert chart.ticks(0) == [0]


def test_lines_have_ticks_around_them():
    assert chart.log_ticks(0.3, 9.0) == pytest.approx([0.2, 0.5, 1, 2, 5, 10])
    assert chart.log_ticks(5.0, 5.0) == [5.0]


def test_names_beside_lines_do_not_overlap():
    moved = chart.apart([100.0, 101.0, 50.0, 99.0], 15, 110)
    assert sorted(range(4), key=lambda index: moved[index]) == [2, 3, 0, 1]
    assert moved == [95, 110, 50, 80]


def test_the_readme_is_changed_between_its_marks_only():
    before = "a\n<!-- bench -->\nold\n<!-- /bench -->\nb\n"
    assert between_marks(before, "new") == "a\n<!-- bench -->\nnew\n<!-- /bench -->\nb\n"
    assert between_marks("no marks\n", "new") == "no marks\n"
