"""Fault rules: which of the next calls, uploads, playbacks and webhooks go wrong, and how.

A rule is JSON: ``{"target", "kind", "match", "times" | "share", "skip", "params"}``. This module decides *whether* a rule
strikes; the places that speak to the outside carry it out. Chance comes from the seed.
"""

import fnmatch
import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from muxsim.ids import Ids
from muxsim.store import Doc, Store

HTTP_KINDS = frozenset({
    "status", "rate_limited", "hang", "slow", "reset", "html", "truncated_json", "cut_body", "empty_body", "not_utf8",
    "wrong_status", "drip",
})  # fmt: skip
SCHEDULING_KINDS = frozenset({"drop", "delay", "duplicate", "reorder", "shuffle"})
SENDING_KINDS = frozenset({
    "wrong_secret", "old_secret", "no_signature", "malformed_signature", "stale_timestamp", "future_timestamp",
    "tampered_body", "truncated_body", "not_json", "unknown_type", "odd_content", "old_scheme",
})  # fmt: skip
KINDS: dict[str, frozenset[str]] = {
    "api": HTTP_KINDS | {"unknown_enum", "missing_field"},
    "upload": HTTP_KINDS | {"lost_chunk", "no_range", "final_308"},
    "playback": HTTP_KINDS,
    "webhook": SCHEDULING_KINDS | SENDING_KINDS,
}
MATCHABLE: dict[str, frozenset[str]] = {
    "api": frozenset({"operation", "method", "path", "token_id"}),
    "upload": frozenset({"operation", "method", "upload_id", "chunk"}),
    "playback": frozenset({"operation", "method", "playback_id", "path"}),
    "webhook": frozenset({"type", "object_id", "asset_id", "upload_id", "endpoint_id", "url", "attempt"}),
}


@dataclass
class Rule:
    """One fault rule, as it is stored and shown."""

    target: str
    kind: str
    match: Doc = field(default_factory=dict)
    times: int | None = None
    share: float | None = None
    skip: int = 0
    params: Doc = field(default_factory=dict)
    struck: int = 0
    id: str = ""

    def fits(self, facts: Doc) -> bool:
        return all(_agrees(wanted, facts.get(key)) for key, wanted in self.match.items())

    def number(self, name: str, default: float) -> float:
        value = self.params.get(name, default)
        fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return float(value) if fine else default


def _agrees(wanted: Any, actual: Any) -> bool:
    if isinstance(wanted, list):
        return any(_agrees(one, actual) for one in wanted)
    if isinstance(wanted, str) and isinstance(actual, str):
        return fnmatch.fnmatchcase(actual, wanted)
    return bool(wanted == actual)


def parse_rule(body: Doc) -> Rule:
    """Checks a rule that came over HTTP; raises ``ValueError`` with a sentence for its author."""
    unknown = set(body) - {"target", "kind", "match", "times", "share", "skip", "params"}
    if unknown:
        raise ValueError(f"unknown keys in a fault: {', '.join(sorted(unknown))}")
    target, kind = body.get("target"), body.get("kind")
    if not isinstance(target, str) or target not in KINDS:
        raise ValueError(f"target is one of {', '.join(KINDS)}")
    if not isinstance(kind, str) or kind not in KINDS[target]:
        raise ValueError(f"kind of a fault on {target} is one of {', '.join(sorted(KINDS[target]))}")
    match, params = ({} if body.get(name) is None else body[name] for name in ("match", "params"))
    if not isinstance(match, dict) or set(match) - MATCHABLE[target]:
        raise ValueError(f"match on {target} takes {', '.join(sorted(MATCHABLE[target]))}")
    if not isinstance(params, dict):
        raise ValueError("params is an object")
    times, share, skip = body.get("times"), body.get("share"), body.get("skip") or 0
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise ValueError("times is a whole number of at least 1")
    if share is not None and (
        isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1
    ):
        raise ValueError("share is a number above 0 and at most 1")
    if isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
        raise ValueError("skip is a whole number of at least 0")
    return Rule(target, kind, match, times, share, skip, params)


class Faults:
    """The rules in force, in the order in which they were made; the first that fits strikes."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._ids = ids
        self._chance = ids.random("faults")
        self.clearings = 0
        """How often everything was cleared; slow answers under way watch it."""
        self._rules = [
            Rule(**json.loads(row["doc"])) for row in store.all("SELECT doc FROM faults ORDER BY seq")
        ]

    def add(self, rule: Rule) -> Rule:
        with self._store.lock:
            rule.id = self._ids.new("fault")[:12]
            self._rules.append(rule)
            self._store.run("INSERT INTO faults (id, doc) VALUES (?, ?)", rule.id, json.dumps(asdict(rule)))
        return rule

    def remove(self, rule_id: str) -> bool:
        with self._store.lock:
            before = len(self._rules)
            self._rules = [rule for rule in self._rules if rule.id != rule_id]
            self._store.run("DELETE FROM faults WHERE id = ?", rule_id)
            return len(self._rules) < before

    def clear(self) -> None:
        with self._store.lock:
            self._rules = []
            self.clearings += 1
            self._store.run("DELETE FROM faults")
            self._chance = self._ids.random("faults")

    def all(self) -> list[Doc]:
        with self._store.lock:
            return [asdict(rule) for rule in self._rules]

    def pick(self, target: str, facts: Doc, kinds: frozenset[str] | None = None) -> Rule | None:
        """The rule that strikes now, if any; counts it down."""
        if not self._rules:
            return None
        with self._store.lock:
            for rule in self._rules:
                if rule.target == target and (kinds is None or rule.kind in kinds) and rule.fits(facts):
                    if rule.skip > 0:
                        rule.skip -= 1
                        continue
                    if rule.share is not None and self._chance.random() >= rule.share:
                        continue
                    self._strike(rule)
                    return rule
        return None

    def _strike(self, rule: Rule) -> None:
        rule.struck += 1
        if rule.times is not None:
            rule.times -= 1
        if rule.times == 0:
            self.remove(rule.id)
        else:
            self._store.run("UPDATE faults SET doc = ? WHERE id = ?", json.dumps(asdict(rule)), rule.id)
