"""The operator's documents say what the code does: alarms, lives, metrics, settings."""

import json
import re
from pathlib import Path

import yaml

from devstack.places import ROOT
from lessonadmin import config, metrics
from lessonadmin.domain.health import alarms
from lessonadmin.domain.maintenance import retention
from tests.settings import REQUIRED

FOLDER = ROOT / "docs" / "operate"
TEXT = (ROOT / "docs" / "operate.md").read_text()
GAUGES = {
    "lessonadmin_lessons_stuck",
    "lessonadmin_lessons_needing_attention",
    "lessonadmin_deletions_pending",
    "lessonadmin_queue_jobs",
    "lessonadmin_alarm",
}
NAMED = re.compile(r"\blessonadmin_[a-z_]+")


def known_metrics() -> set[str]:
    """Every name that /metrics can say."""
    found = set(GAUGES)
    for one in vars(metrics).values():
        name = getattr(one, "_name", None)
        if name is None or not name.startswith("lessonadmin_"):
            continue
        kind = type(one).__name__
        found |= (
            {f"{name}_total"}
            if kind == "Counter"
            else {f"{name}_{end}" for end in ("bucket", "sum", "count")}
        )
    assert len(found) > 10
    return found


def expressions() -> list[str]:
    rules = yaml.safe_load((FOLDER / "prometheus-rules.yaml").read_text())
    board = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    found = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    found += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(found) > 20
    return found


def test_dashboard_and_rules_name_only_metrics_that_exist() -> None:
    known = known_metrics()
    for expression in expressions():
        names = set(NAMED.findall(expression))
        assert names, expression
        assert names <= known, expression
        assert expression.count("(") == expression.count(")"), expression


def test_every_metric_has_a_place_on_the_dashboard() -> None:
    shown = set(NAMED.findall(" ".join(expressions())))
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known_metrics()}
    assert stems <= {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}


def test_every_rule_says_what_it_is_about() -> None:
    groups = yaml.safe_load((FOLDER / "prometheus-rules.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 5
    for rule in rules:
        assert rule["annotations"]["summary"], rule
        assert rule["labels"]["severity"] in ("warning", "critical"), rule


def test_panels_do_not_lie_over_one_another() -> None:
    board = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    taken: set[tuple[int, int]] = set()
    assert len(board["panels"]) > 10
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alarm_has_its_section_and_no_section_is_about_nothing() -> None:
    sections = set(re.findall(r"^### ([a-z_]+)$", TEXT, re.M))
    assert sections == set(alarms.BY_NAME)


def test_the_lives_are_those_of_the_code() -> None:
    written = [(table, int(days)) for table, days in re.findall(r"^\| `(\w+)`[^|]*\| (\d+) \|$", TEXT, re.M)]
    assert written == [(life.table, life.days) for life in retention.LIVES]


def test_settings_that_are_named_exist() -> None:
    known = {name.upper() for name in config.Settings.model_fields}
    others = {"PROMETHEUS_MULTIPROC_DIR", "WEB_CONCURRENCY", "WEB_THREADS", "HOST", "FILE"}
    words = {"FLUSHDB", "DELETE", "NAME"}  # of Redis and of SQL, and what stands for any setting
    named = {name for name in re.findall(r"`([A-Z][A-Z_]{3,})\b[^`]*`", TEXT) if not name.endswith("_")}
    named = {name.removesuffix("_FILE") for name in named}  # a secret may come from a file
    assert named - known - others - words == set()
    assert {name for name in REQUIRED if name not in TEXT} == set()


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / link).exists(), link
    for test in re.findall(r"`(tests/[^`]+)`", TEXT):
        assert Path(ROOT / test).exists(), test
