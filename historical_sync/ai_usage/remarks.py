"""A lone remark: a tool beside a word of making, in a pull request that does not speak of AI otherwise.

A change that is about AI says so in its title or comes back to it; who only discloses says it once. So where few
clauses name AI, none of them in the title, and the project is not itself the tool, the grammar of `statements` need
not know the whole sentence: it is enough that making and tool stand together ("strings machine-translated by GPT-4").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from historical_sync.ai_usage.clauses import Clause
from historical_sync.ai_usage.disclosure import Disclosure
from historical_sync.ai_usage.scope import ADVISING, MAKING, is_attestation, is_denial, is_denied, scope_of
from historical_sync.ai_usage.statements import is_of_product, names_other_thing
from historical_sync.ai_usage.table.phrases import ADVERB, AFTER, ARTICLE, CODE, CRAFTED, HELP, HELPED, MADE, PAST, WORK
from historical_sync.ai_usage.words import find_words

MOST_CLAUSES = 2
"""A pull request with more clauses that name AI is taken to be about it."""

_NO_PRODUCE = (
    r"(?! (?:the |an? |its |this |that |new |\w+ing )*(?:files?|folders?|director\w+|branch\w*|sessions?|responses?|"
    r"outputs?|"
    r"messages?|plans?|tool calls?|it (?!all\b))\b)"
)
"""What a product writes when it runs, and not when it works on a change."""
_BUG_REPORT = re.compile(r"steps to reproduce|to reproduce:|expected behaviou?r|actual behaviou?r", re.IGNORECASE)
_REMARK = re.compile(
    rf"\b(?:{MADE}|{CODE}|\w{{3,}}ed)\b(?: [^\s.,;:]+){{0,5}}? ?(?:by|with|using|via|through|while \w+ing)"
    rf" {HELP}?{ARTICLE}"
    rf"(?P<by>[TMHN]){AFTER}"
    rf"|(?<![-\w])[TMH] (?:{ADVERB}|has |have |had )*(?:{PAST}|{CRAFTED}|{HELPED}|assisted|turned|"
    rf"takes? a)\b{_NO_PRODUCE}"
    rf"|(?:^|\b(?:i|we|then|and|by)\b,? ?)(?:just |also )?(?:had|got|made|asked|letting|prompting|asking)"
    rf" {ARTICLE}[TMH] "
    rf"(?:to )?{WORK}|\b(?:i|we) (?:just |then |also )?let {ARTICLE}[TMH] (?:to )?{WORK}"
    rf"|^(?:leveraging|utili[sz]ing) {ARTICLE}(?:[TMH]|N(?=,))"
    r"|(?<![-\w])[TMH]-(?:written|generated|authored|made|drafted|assisted|translated|coded)\b"
)
_DESCRIBES = re.compile(
    r"^(?:\w+(?:\([^()]*\))?!?: )?(?:this (?:pr |change |commit |patch )?|it |we |now )?(?:also )?"
    r"(?:add|fix|support|allow|show|introduc|implement|enabl|evaluat|back|remov|updat|chang|mak|improv|use|using|"
    r"handl|bump|"
    r"compar|benchmark|demonstrat|explain|describ|document|list|mention|let|ensur|prevent|mov|renam|replac|refactor|"
    r"creat|run|"
    r"example|demo|talk|guide|tutorial|blog)\w*\b(?! (?:by|with|using|via)\b)"
)
"""A clause that tells what the change does: a tool in it is part of that, but for tests and docs it is said to have
written."""
_ITS_WORK = re.compile(
    r"[TMHN]-\w+ (?:unit |e2e )?(?:tests?|docs|documentation|docstrings?|doc strings?|boilerplate|comments)"
)


def remarks(
    title: str, repository: str, texts: Sequence[str], named: Sequence[Sequence[Clause]]
) -> Iterator[tuple[int, Disclosure]]:
    """The lone remarks in `texts`, each with the index of its text; none where the pull request is about AI.

    `named` holds for each text the clauses that name AI (see `disclosure.read`).
    """
    if len({clause.plain for clauses in named for clause in clauses}) > MOST_CLAUSES:
        return
    found = [(index, clause) for index, clauses in enumerate(named) for clause in clauses if _is_remark(clause)]
    if not found or find_words(title.lower()) or find_words(repository.rpartition("/")[2].lower()):
        return
    if not any(_BUG_REPORT.search(text) for text in texts):
        for index, clause in found:
            yield index, Disclosure("remark", clause.tools, clause.start, clause.end)


def _is_remark(clause: Clause) -> bool:
    plain = clause.plain
    hit = _REMARK.search(plain)
    if hit is None or plain.endswith("?") or is_denial(plain) or is_denied(plain, len(plain)) or is_attestation(plain):
        return False
    if _DESCRIBES.match(plain) and not _ITS_WORK.search(plain):
        return False
    if hit["by"] == "N" and not any(word.name or word.is_help for word in clause.words):
        return False
    return (
        not is_of_product(plain, hit)
        and not names_other_thing(plain, hit)
        and (scope_of(plain) == MAKING and scope_of(hit[0]) != ADVISING)
    )
