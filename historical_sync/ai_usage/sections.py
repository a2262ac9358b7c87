"""Answers to templates: disclosure sections, questions, ticked boxes, and lines such as `AI used: Copilot`.

Under a heading that asks for AI use, a name is enough ("Cursor"), and a denial ends it. What the template itself says
(instructions, examples, unticked boxes, promises about "any AI-generated code") is not an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from historical_sync.ai_usage.clauses import Clause, clauses
from historical_sync.ai_usage.scope import ADVISING, MAKING, is_attestation, is_denial, is_denied, is_supposed, scope_of
from historical_sync.ai_usage.text import HEADING, ITEM, Unit

_USE = (
    r"(?:usage|use|used|using|disc[li]\w*|assist\w*|involve\w*|attribution|statement|declaration|declare|"
    r"transparency|acknowledge?ments?|"
    r"generated?|authored|contributions?|co-?author\w*|credits?|help|notice|tooling|authorship|provenance|"
    r"utili[sz]\w*|generation)"
)
_FILL = (
    r"(?:and|or|in|of|for|on|this|the|to|with|by|a|pr|pull request|change|contribution|patch|code|tool|"
    r"tools|model|models|llm|details?|info|information|section|policy|note|notes|report|level|required|"
    r"optional|summary|see|s|y|yes|no|below|above|describe|generative|automation|coding|agent|content|any|if|was|were|"
    r"is|my|(?:mandatory)|"
    r"checklist|questions?)"
)
_ASKS = re.compile(
    rf"^(?:\W|\d|{_FILL}\b)*(?:N|[TMH])?(?:\W|{_FILL}\b|N\b)*\b{_USE}\b(?:\W|{_FILL}\b|{_USE}\b|[TMHN]\b)*$"
)
_NAMES_AI = re.compile(
    r"^(?:\W|\d|\b(?:generative|tools?|used|note|notes)\b)*N(?:\W|\b(?:tools?|used|note|notes|only)\b)*$"
)
_QUESTION = re.compile(
    r"(?:N|[TM]).{0,80}\b(?:use|used|using|generat\w*|author\w*|co-?author\w*|assist\w*|writ\w*|help\w*|"
    r"involve\w*|creat\w*|utili[sz]\w*)\b|\b(?:use|used|using|generat\w*|author\w*|co-?author\w*|assist\w*|"
    r"writ\w*|help\w*|involve\w*|creat\w*)\b.{0,80}(?:N|[TM])"
)
_NOT_THIS = re.compile(
    r"\b(?:track\w*|metric\w*|limit\w*|cost\w*|token\w*|billing|quota|dashboard|analytics|endpoint|api|"
    r"settings?|page|panel|provider|feature)\b"
)
_KEY = re.compile(
    rf"^(?P<key>(?:\W|{_FILL}\b|{_USE}\b|\d)*(?:N|[TMH])(?:\W|{_FILL}\b|{_USE}\b|N\b)*|(?:\W)*(?:tools?|models?|"
    rf"assistants?|agents?|llms?)(?: \(?s\)?)?(?: used| name| and version| version)?)\s?(?::+-?|=|\?|"
    rf"\s-)\s?(?P<value>.*)$"
)
_SEPARATOR = re.compile(r"[:=?]|\s-")
_AFFIRMS = re.compile(
    r"^\W*(?:yes|yep|yeah|yup|ye|y|true|partial\w*|some\w*|minor|minimal\w*|a (?:bit|little)|lightly|"
    r"mostly|fully|heav\w+|assisted|✅|👍|sí|si|oui|ja|sim|да|是|有|はい|네|使用)(?=\W|$)"
)
_USED = re.compile(
    r"\b(?:used|use|using|usage|utili[sz]\w*|leverag\w*|assist\w*|help\w*|generat\w*|wr[io]t\w*|author\w*|"
    r"creat\w*|implement\w*|develop\w*|draft\w*|made|partial\w*|support\w*|refactor\w*|cod\w+|produced|"
    r"built)\b"
)
_HELP_WITHOUT_NAME = re.compile(
    r"\b(?:help|assist\w*|used|suggestions?|generated|autocomplet\w*|auto-complet\w*)\b.{0,20}\b(?:to|with|"
    r"for|in|by|of|on)\b"
)
_BEGINS_WITH_USE = re.compile(r"^\W*(?:was |were )?(?:used|helped|assisted)\b")
_IT_MADE = re.compile(
    r"^\W*(?:it|they) (?:\w+ly |also |just )?(?:wrote|generated|created|drafted|implemented|helped|did|fixed)\b"
)
_TOOL_FOR = re.compile(r"^\W*[TMHLP]\b(?: was| were)? ?(?:for|to|:|-) ")
_ONLY_NAMES = re.compile(
    r"^(?:\W|\b(?:only|and|just|with|pro|plan|ide|mode|agent|used|version|model|models?|v?[\d.]+|a bit|"
    r"a little|ai|auto)\b)*[TMHLPN](?:\W|[\d.]|[TMHLPN]\b|\b(?:only|and|just|with|pro|plus|plan|ide|mode|"
    r"agent|chat|model|models|via|in|on|extension|cli|the|free|tier|version|high|auto|for|everything)\b)*$"
)
_TEMPLATE = re.compile(
    r"\b(?:please|if (?:you|any|so|yes|no|applicable|generative|used|N|T|M)|describe|specify|must|should|"
    r"fill|delete|remove|replace|include|refer to|e\.g|for example|such as|list (?:the|any|all|which)|tick|"
    r"check (?:one|the|all)|your|you)\b|^\W*<"
)
_BARE_HEAD = re.compile(
    r"^\W*N(?: (?:usage|use|used|disc[li]\w*|statement|declaration|attribution|transparency|assistance))*\W*$"
)
_USED_FOR_THIS = re.compile(
    r"N.{0,30}\b(?:was|were|has been|have been) .{0,20}\b(?:used|utili[sz]ed|leveraged|involved)\b|\bused .{0,30}N"
)
_REMARK = re.compile(r" ?\([^()]*\)")
_ALERT = re.compile(r"\[!\w+\]\s*|^[ \t]*>[ \t]?", re.MULTILINE)
_TOOL, _NOUN = re.compile("[TMHLP]"), re.compile("N")
_TELLS = re.compile(r"\b(?:i|was|were|used)\b")
_TWO_ANSWERS = re.compile(r"\byes\b\W{1,6}\bno\b|\bno\b\W{1,6}\byes\b")
_PROSE = "prose"
_LONGEST_HEAD = 140
_UNITS_OF_SECTION = 14


@dataclass(slots=True)
class _Section:
    """What a head opened: `is_heading` ends at the next heading, else with the block after it; `is_sure` names use;
    `is_list` says that AI was used for what is listed."""

    is_heading: bool
    is_sure: bool
    block: int
    is_list: bool = False
    units: int = 0
    is_closed: bool = False
    is_advised: bool = False
    """A ticked box has said that AI gave advice only: a tool's name then says no more than with whom."""


class Sections:
    """Walks the units of a text and says of each clause whether it answers a template, and with what."""

    def __init__(self) -> None:
        self._section: _Section | None = None

    @property
    def is_open(self) -> bool:
        """Whether a head has asked: what follows may be its answer, and holds perhaps no word for AI."""
        return self._section is not None

    def answers(self, text: str, unit: Unit) -> Iterator[tuple[Clause, str] | Clause]:
        """The clauses of a unit: with a rule's name those that answer a template, bare those that are prose."""
        self._leave(unit)
        if unit.is_ticked is False:
            return
        read = list(clauses(text, unit.start, unit.end))
        if self._enters(unit, text[unit.start : unit.end], read):
            return
        for index, clause in enumerate(read):
            inline = self._inline(unit, clause, read[index + 1 :])
            rule = inline if inline is not None else self._answer(unit, clause)
            if unit.is_ticked and self._section is None and _ticks_use(clause):
                self._section = _Section(False, False, unit.block)
            if rule == "":
                continue
            yield (clause, rule) if rule and rule != _PROSE else clause

    def _leave(self, unit: Unit) -> None:
        section = self._section
        if section is None:
            return
        section.units += 1
        is_past = unit.kind == HEADING if section.is_heading else unit.block > section.block + 1 or unit.kind == HEADING
        if is_past or section.units > _UNITS_OF_SECTION:
            self._section = None

    def _enters(self, unit: Unit, text: str, read: list[Clause]) -> bool:
        """Open a section if the unit is a head for one, and nothing but a head."""
        if not read or len(text) > 2 * _LONGEST_HEAD:
            return False
        raw = (_ALERT.sub("", text) if ">" in text or "[!" in text else text).strip()
        if len(raw) > _LONGEST_HEAD:
            return False
        plain = _REMARK.sub("", " ".join(clause.plain for clause in read)).rstrip(" :-?.")
        if unit.kind != HEADING and not (_looks_like_head(raw) or _BARE_HEAD.match(plain)):
            return False
        is_question = raw.rstrip(" *_:").endswith("?")
        is_list = _opens_list(raw, plain)
        is_sure = bool(_ASKS.match(plain)) or (is_question and bool(_QUESTION.search(plain))) or is_list
        if _NOT_THIS.search(plain) or not (is_sure or _NAMES_AI.match(plain)):
            return False
        self._section = _Section(unit.kind == HEADING, is_sure, unit.block, is_list=is_list)
        return True

    def _inline(self, unit: Unit, clause: Clause, after: list[Clause]) -> str | None:
        """`AI used: Copilot` on one line. None where it is no such line, _PROSE where it has no answer."""
        key = _KEY.match(clause.plain) if _SEPARATOR.search(clause.plain) else None
        is_asked = key is not None and (
            _ASKS.match(key["key"].rstrip(" :-?")) or _NAMES_AI.match(key["key"].rstrip(" :-?"))
        )
        if key and not is_asked and self._section and not re.search("[TMHLPN]", key["key"]):
            return self._of_value(key["value"], is_sure=True)
        if key and is_asked:
            is_sure = _ASKS.match(key["key"].rstrip(" :-?")) is not None
            if key["value"].strip(" .-") == "":
                self._section = _Section(False, is_sure, unit.block)
                return ""
            rule = "" if self._was_advised() else self._of_value(key["value"], is_sure=is_sure)
            if is_sure and not rule and after:
                self._section = _Section(False, True, unit.block)
            return rule or ("" if is_denial(key["value"]) else _PROSE)
        if clause.plain.endswith("?") and _QUESTION.search(clause.plain) and len(clause.plain) < _LONGEST_HEAD:
            self._section = _Section(False, True, unit.block)
            return ""
        return None

    def _answer(self, unit: Unit, clause: Clause) -> str | None:
        section = self._section
        if section is None or section.is_closed:
            return None
        if is_denial(clause.plain):
            section.is_closed = not re.search("[TMHLPN]", clause.plain) or len(clause.plain) < 60
            return ""
        if unit.is_ticked and is_attestation(clause.plain) and not _AFFIRMS.match(clause.plain):
            return ""
        if unit.is_ticked and clause.words and scope_of(clause.plain) == ADVISING:
            section.is_advised = True
        if section.is_advised and scope_of(clause.plain) != MAKING:
            return ""
        if section.is_list and unit.kind == ITEM and not clause.words and scope_of(clause.plain) == MAKING:
            return "answer.list"
        return self._of_value(clause.plain, is_sure=section.is_sure) or None

    def _was_advised(self) -> bool:
        return self._section is not None and self._section.is_advised

    @staticmethod
    def _of_value(plain: str, *, is_sure: bool) -> str:
        """The rule by which a value affirms that AI made something, or an empty string."""
        if is_denial(plain) or _TWO_ANSWERS.search(plain):
            return ""
        scope = scope_of(plain)
        if scope == ADVISING:
            return ""
        if _AFFIRMS.match(plain):
            return "answer.yes"
        if (is_supposed(plain) and not _TELLS.search(plain)) or _TEMPLATE.search(plain):
            return ""
        if token := _TOOL.search(plain):
            return "" if is_denied(plain, token.end()) else _rule_of_tool(plain, is_sure)
        if noun := _NOUN.search(plain):
            return "" if is_denied(plain, noun.end()) else _rule_of_noun(plain, is_sure or scope == MAKING)
        is_help = _BEGINS_WITH_USE.match(plain) or (
            is_sure and (_HELP_WITHOUT_NAME.search(plain) or _IT_MADE.match(plain))
        )
        return "answer.help" if is_help and scope == MAKING else ""


def _ticks_use(clause: Clause) -> bool:
    """Whether a ticked box says that AI was used: the boxes below it may say which tool."""
    return bool(clause.words and _USED.search(clause.plain)) and not (
        is_attestation(clause.plain) or is_denial(clause.plain) or is_denied(clause.plain, len(clause.plain))
    )


def _rule_of_tool(plain: str, is_sure: bool) -> str:
    is_enough = is_sure or _ONLY_NAMES.match(plain) or _USED.search(plain) or _TOOL_FOR.match(plain)
    return "answer.tool" if is_enough else ""


def _rule_of_noun(plain: str, is_enough: bool) -> str:
    return "answer.ai" if is_enough and _USED.search(plain) and not is_attestation(plain) else ""


def _looks_like_head(raw: str) -> bool:
    """A line that stands like a heading without being one: bold, or ended by a colon, a dash or a question mark."""
    line = raw.strip().lstrip("> ").strip()
    is_bold = line.startswith(("**", "__", "<b>", "<h")) and line.rstrip(":- ?").endswith(("**", "__", "</b>"))
    return "\n" not in line and (is_bold or line.endswith((":", ":-", "?", "?**", ":**")))


def _opens_list(raw: str, plain: str) -> bool:
    """`AI assistance was used in preparing this change:` before a list of tools and what each did."""
    return raw.rstrip(" *_").endswith(":") and _USED_FOR_THIS.search(plain) is not None and not is_denial(plain)
