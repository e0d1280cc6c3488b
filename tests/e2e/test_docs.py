"""The documents are true: what they name is what the code has. Reads files only; starts no server."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Installed packages bring documents of their own.
FOREIGN = {"node_modules", "build", ".git", ".pytest_cache"}
DOCUMENTS = sorted(p for p in ROOT.rglob("*.md") if not FOREIGN & set(p.relative_to(ROOT).parts))
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"`[^`\n]*`")


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def name_of(path):
    return str(path.relative_to(ROOT))


def is_generated(document):
    return document.is_relative_to(ROOT / "clients/typescript/docs/api")


def error_rows():
    """(name, JSON-RPC code, close code) of each row of the error table; 0: it has none."""
    rows = re.findall(r'^\s*\{\w+,\s*"(\w+)",\s*(-?\d+),\s*(\d+),\s*\d+,\s*"', read("hubbub/base/error.cc"), re.MULTILINE)
    assert len(rows) > 30
    return [(name, int(rpc), int(close)) for name, rpc, close in rows]


def section(document, title):
    """The text of one chapter, up to the next of its level."""
    found = re.search(rf"^(#+) {re.escape(title)}$(.*?)(?=^\1 |\Z)", read(document), re.MULTILINE | re.DOTALL)
    assert found, f"{document} has no chapter {title}"
    return found[2]


def table(document, title):
    """The rows of the tables of one chapter, cell by cell, without head and rule."""
    rows = [line for line in section(document, title).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return [row for row, next_row in zip(cells, cells[1:] + [[""]]) if not is_rule(row) and not is_rule(next_row)]


def is_rule(row):
    return all(re.fullmatch(r"-+", cell) for cell in row)


def spans(cells):
    """What stands between backquotes in table cells."""
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


# Codes, methods, metrics, keys


def test_every_json_rpc_code_is_in_the_protocol_with_its_names_and_no_other():
    wanted = {}
    for name, rpc, _ in error_rows():
        if rpc:
            wanted.setdefault(str(rpc), set()).add(name)
    told = {row[0]: set(row[1].split(", ")) for row in table("docs/protocol.md", "Error codes")}
    assert told == wanted


def test_the_protocol_tells_which_errors_are_retryable():
    retryable = dict(re.findall(r'^\s*\{\w+,\s*"(\w+)",.*,\s*(true|false)\},$', read("hubbub/base/error.cc"), re.MULTILINE))
    for code, names, _, told in table("docs/protocol.md", "Error codes"):
        assert told == ("yes" if retryable[names.split(", ")[0]] == "true" else "no"), code


def test_every_close_code_is_in_the_protocol_with_its_name():
    told = {int(row[0]): row[1].split(", ") for row in table("docs/protocol.md", "Close codes")}
    closing = [(name, close) for name, _, close in error_rows() if close]
    for name, close in closing:
        assert name in told.get(close, []), f"{close} {name}"
    assert set(told) - {1000} == {close for _, close in closing}


def test_every_http_status_of_the_error_table_that_a_request_can_meet_is_in_the_protocol():
    names = "bad_request origin_refused not_found method_not_allowed upgrade_required too_many_connections".split()
    names += ["head_too_large", "head_deadline", "node_full"]
    told = {row[0] for row in table("docs/protocol.md", "HTTP surface")}
    for name in names:
        status = re.search(rf'"{name}",\s*-?\d+,\s*\d+,\s*(\d+)', read("hubbub/base/error.cc"))[1]
        assert status in told, name


def test_every_builtin_method_is_in_the_protocol_and_no_other():
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "hubbub/core").glob("*_methods.cc")))
    methods = re.findall(r'add_builtin<[^;]*?>\(\s*"([^"]+)"', source)
    assert len(methods) == source.count("add_builtin<")
    assert sorted(row[0].strip("`") for row in table("docs/protocol.md", "Methods")) == sorted(methods)


def test_every_notification_is_in_the_protocol():
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "hubbub/core").glob("*.cc"))
    sent = set(re.findall(r'\bnotification\(\s*"([^"]+)"', sources))
    assert "session.opened" in sent and "topic.message" in sent
    assert set(spans(row[0] for row in table("docs/protocol.md", "Notifications"))) == sent


def test_every_metric_is_in_operations_with_its_type_and_no_other():
    source = read("hubbub/server/metrics.cc")
    kinds = dict((name, kind) for kind, name in re.findall(r'\b(gauge|counter)\(\s*"(hubbub_\w+)"', source))
    families = re.findall(r'family\(\s*"(hubbub_\w+)",.*?MetricType::(\w+)\)', source, re.DOTALL)
    kinds |= {name: kind.lower() for name, kind in families}
    assert set(kinds) == set(re.findall(r'"(hubbub_\w+)"', source))
    told = {spans([row[0]])[0].split("{")[0]: row[1] for row in table("docs/operations.md", "Metrics")}
    assert told == kinds


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_metrics_that_documents_name_exist(document):
    exist = set(re.findall(r'"(hubbub_\w+)"', read("hubbub/server/metrics.cc")))
    named = set(re.findall(r"\bhubbub_(?:\w+_total|sessions|frames|resident_bytes|connections)\b", document.read_text()))
    assert named <= exist


def test_every_event_of_the_log_is_in_operations_with_its_level_and_no_other():
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "hubbub").rglob("*.cc"))
    events = set(re.findall(r'\blog_?(?:\.|->)(debug|info|warn|error)\(\s*"([^"]+)"', sources))
    assert ("info", "listening") in events
    assert {(row[0], event) for row in table("docs/operations.md", "Logs") for event in spans([row[1]])} == events


def test_every_exit_code_is_in_operations():
    codes = re.findall(r"^\s*\w+ = (\d+)", re.search(r"enum class ExitCode.*?};", read("hubbub/server/cli.h"), re.DOTALL)[0], re.M)
    told = {code for row in table("docs/operations.md", "Exit codes") for code in row[0].split(", ")}
    assert len(codes) == 5 and set(codes) <= told


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_configuration_keys_that_documents_name_exist(document):
    keys = set(re.findall(r"^\| `([a-z]+\.[a-z_]+)`", read("docs/configuration.md"), re.MULTILINE))
    assert "limits.message_bytes" in keys
    sections = {key.split(".")[0] for key in keys} - {"session"}  # session.* names methods too
    if is_generated(document):
        return  # speaks of members of types
    for span in re.findall(r"`([^`\n]+)`", document.read_text(encoding="utf-8")):
        named = re.match(r"([a-z]+)\.[a-z_]+(?==|$)", span)
        if named and named[1] in sections:
            assert named[0] in keys, span


# Commands, paths, links


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_commands_of_dev_that_documents_name_exist(document):
    commands = set()
    for line in re.findall(r"^  ([a-z0-9 |-]+)\)", read("dev"), re.MULTILINE):
        commands |= set(line.split(" | "))
    assert {"run", "test", "bench"} <= commands
    assert set(re.findall(r"\./dev ([a-z0-9]+)", document.read_text(encoding="utf-8"))) <= commands


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_paths_that_documents_name_exist(document):
    spans_here = re.findall(r"`([^`\n]+)`", FENCE.sub("", document.read_text(encoding="utf-8")))
    for span in spans_here:
        if re.fullmatch(r"(hubbub|tests|fuzz|bench|examples|docs|cmake)/[\w./-]*", span):
            assert (ROOT / span).exists(), span


def anchors(path):
    """The anchors of a document's headings, as GitHub makes them: those that come again get a number."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    seen, found = Counter(), set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_relative_links_lead_somewhere(document):
    text = CODE_SPAN.sub("", FENCE.sub("", document.read_text(encoding="utf-8")))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), target
        if anchor:
            assert linked.suffix == ".md" and anchor in anchors(linked), target


def test_every_decision_is_in_the_list_of_decisions():
    for page in (ROOT / "docs/adr").glob("[0-9]*.md"):
        title = page.read_text(encoding="utf-8").splitlines()[0]
        number = page.name[:4]
        assert title.startswith(f"# {number}: ")
        assert f"| [{number}]({page.name}) | {title.removeprefix(f'# {number}: ')} |" in read("docs/adr/README.md")


# Examples and versions


def test_the_readmes_example_is_taken_from_the_examples():
    (block,) = re.findall(r"^```cpp\n(.*?)^```$", section("README.md", "Use it as a library"), re.MULTILINE | re.DOTALL)
    source = iter([line.strip() for line in read("examples/echo.cc").splitlines()])
    for line in block.splitlines():
        assert not line.strip() or line.strip() in source, f"not in examples/echo.cc, or not in this order: {line}"


def test_documents_tell_the_version():
    version = re.search(r'kVersion = "([\d.]+)"', read("hubbub/base/version.h"))[1]
    assert re.search(r"^## (\d+\.\d+\.\d+)", read("CHANGELOG.md"), re.MULTILINE)[1] == version
    for document in ("README.md", "docs/protocol.md", "docs/operations.md", "docs/architecture.md"):
        assert set(re.findall(r"(?<![\d.])0\.\d+\.\d+(?![\d.])", read(document))) <= {version, "0.0.4"}, document
