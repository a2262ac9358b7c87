"""What a tool was used for, and whether it was used at all: making, or only advising; denied, or supposed.

Disclosures name the work: "for unit tests", "to understand the issue". Making counts. Reviewing, research,
brainstorming, finding a bug, proofreading, and writing only the description do not.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAKING, ADVISING, UNSAID = "making", "advising", "unsaid"

_ABOUT_THE_DESCRIPTION = re.compile(
    r"\b(?:writ\w+|draft\w*|generat\w+|creat\w+|summar\w+|word\w*|polish\w*|format\w*|fill\w*|improv\w+|"
    r"translat\w+|clean\w*|rewrit\w+|help\w*)?"
    r"(?: up| out| in| with| of| the| this| my| a| an| some| and| better| these)*"
    r" (?:(?:pr|mr|pull request|commit|github|release)(?:'s)? )?(?:descriptions?|summar(?:y|ies)|title|"
    r"bod(?:y|ies)|write-?up|commit messages?|messages?|release notes?|changelog|template|english|grammar|"
    r"spelling|wording|phrasing|text|explanations?|prose|language)\b(?: (?:drafts?|improvements?|polish\w*|"
    r"fix(?:es|ing)?|help|tweaks?|suggestions?|corrections?|checks?|checking|cleanup))?"
    r"(?: (?:is|was|were|has been|have been)(?: \w+ly| also)? (?:writ\w+|draft\w*|generat\w+|creat\w+|"
    r"polish\w*|improv\w+|translat\w+|made|done))?"
)
_BY_HAND = re.compile(
    r"(?:\b(?:all|the|every|any|most of|core|actual|final|design|logic|code|changes?|implementation|work|"
    r"tests?|and|of|line|lines|fix|patch|solution|rest|itself)\b[ ,]*){1,8}"
    r"(?:(?:is|are|was|were|has been|have been|being|got)\b )?(?:\w+ly )?(?:"
    r"(?:written|done|made|implemented|coded|authored|created|designed)(?: (?:and|&) \w+)?(?: \w+ly)*"
    r"(?: (?:by|myself)(?: (?:me|hand|a human|humans|myself|us|the author|a person))?(?!\w)(?! N| [TMHL])| manually)"
    r"|(?:reviewed|validated|verified|tested|human\S*|hand\S*|mine|my own)\b(?: (?:and|&) \w+)?"
    r"(?: (?:\w+ly|by|me|myself|hand|human|humans|the author|us|a person|thoroughly|line by line))*)"
    r"|\b(?:reviewed|tested|verified|validated|checked|edited|cleaned up|understood|polished|"
    r"supplemented)(?:(?:,| and|, and) \w+)* (?:\w+ly |thoroughly |line by line )?(?:by (?:me|hand|us|"
    r"the author|a human|humans|myself))"
    r"|(?<![TMHNL] )(?<!has )(?<!have )\b(?:reviewed|validated|verified|tested|checked|audited)\b"
    r"(?: (?:and|&) \w+ed\b)*(?! \w* ?(?:by|with|using|via|through) (?:the |an? |my )?[TMHNL])"
    r"|\b(?:manual\w*|by hand|hand-?written|self[- ]review\w*|human[- ](?:review|written|author|design|"
    r"verified|made)\w*)\b"
    r"|\bi (?:have |just |only |also |then |carefully |manually |thoroughly |personally |"
    r"fully )*(?:reviewed|tested|verified|checked|understand|understood|validated|read)\b[^,;]*"
)
_SUBORDINATE = re.compile(
    r"\b(?:which|that|how|where|what|why|whether|whose)\b(?! (?:is|was|are|were|then|i|it|also|has|have)\b)[^,;.]*"
)

_NOT_DONE = re.compile(
    r"\b(?:no|not|never|without|didn't|did not) (?!only\b|just\b)[^,.;:)]*?(?=\b(?:except|other than|"
    r"apart from|besides|but|so)\b|[,.;:)]| - |$)"
)

_MAKING = re.compile(
    r"\b(?:writ(?:e|es|ing|ten)|wrote|re-?wr[io]t\w*|generat\w+|creat\w+|implement\w*|cod(?:e|es|ed|ing|"
    r"egen)|program\w*|refactor\w*|draft\w*|add(?:s|ed|ing)?|fix\w*|bug-?fix\w*|"
    r"develop\w*|scaffold\w*|boilerplate\w*|auto-?complet\w*|complet(?:e|ed|es|ing|ions?)|tab|syntax|"
    r"typing|tests?|unit-?tests?|testcases?|e2e|specs?|test-?suite|fixtures?|mocks?|docs?|documentation|"
    r"docstrings?|javadocs?|readme|comments?|translat\w*|locali[sz]\w*|migrat\w*|port(?:s|ed|ing)?|"
    r"edit(?:s|ed|ing)?|chang(?:e|es|ed|ing)|clean-?up\w*|cleaning|styl(?:e|es|ing)|css|html|aria|ui|"
    r"formatt\w+|lint\w*|optimi[sz]\w*|convert\w*|conversion|scripts?|updat(?:e|es|ed|ing)|build(?:s|ing)?|"
    r"built|prototyp\w*|skeletons?|template|simplif\w*|modif\w*|improv\w*|produc(?:e|es|ed|ing)|compos\w+|"
    r"author\w*|patch\w*|solv\w+|resolv\w+|adapt\w*|extend\w*|extract\w*|renam\w*|mov(?:e|es|ed|ing)|"
    r"remov\w*|replac\w*|configur\w*|setup|set(?:ting)? up|benchmarks?|examples?|snippets?|types?|typings?|"
    r""
    r"regex\w*|sql|quer(?:y|ies)|algorithms?|functions?|components?|class(?:es)?|methods?|helpers?|"
    r"suggested (?:\w+ ){0,3}(?:lines?|code|completions?)|workflows?|dockerfile|config\w*|frontend|backend|"
    r"implementations?|for this(?=\s*(?:$|[.,;!)]|since|"
    r"because|and|but|as|so))|for (?:this|the|my) (?:pr|"
    r"pull request|patch|change|commit|one|task|feature|work|contribution|implementation)|heavy lifting|"
    r"help\w* (?:me )?(?:with|create|make|prepare) (?:this|the|my) (?:pr|pull request|patch|change|commit|"
    r"contribution)|"
    r"(?:take|took|have|had) (?:a|the) (?:stab|crack|shot|go|first)|did (?:most|all|the|much|everything)|"
    r"do(?:es|ing|ne)? (?:most|some|the|all|part|it|this))\b"
)
_ADVISING = re.compile(
    r"\b(?:review\w*|self-review|understand\w*|understood|research\w*|br\w{2,6}orm(?:ing|ed|s)?|explor\w*|"
    r"investigat\w*|find(?:s|ing)?|found|locat\w*|identif\w*|diagnos\w*|debug\w*|trac(?:e|ing) |triag\w*|"
    r"analy[sz]\w*|analysis|"
    r"learn\w*|proof-?read\w*|grammar|spell\w*|wording|phrasing|descriptions?|summar\w*|explain\w*|"
    r"explanations?|discuss\w*|questions?|guidance|ideas?|ideat\w*|plan(?:s|ning)?|architect\w*|design\w*|"
    r"navigat\w*|"
    r"search\w*|look(?:ing|ed)? (?:up|at|for|into)|verif\w*|check\w*|double-?check\w*|validat\w*|sanity|"
    r"second opinion|feedback|advice|consult\w*|suggest\w*|reproduc\w*|root cause\w*|read(?:ing)?|figur\w*|"
    r""
    r"audit\w*|compar\w*|evaluat\w*|confirm\w*|clarif\w*|sounding board|rubber duck\w*|context|reference|"
    r"inspiration|advis\w*|guid\w*)\b"
)
_ADVISING_OBJECT = re.compile(
    r"\b(?:review\w*|understand\w*|explor\w*|investigat\w*|find\w*|locat\w*|identif\w*|diagnos\w*|debug\w*|"
    r"analy[sz]\w*|learn\w*|explain\w*|check\w*|double-?check\w*|verif\w*|validat\w*|read\w*|search\w*|"
    r"navigat\w*|discuss\w*|"
    r"audit\w*|look\w* (?:at|into|up|for|through|over)|questions? (?:about|on|regarding)|ideas? (?:for|"
    r"about|on|regarding)|feedback (?:on|about|for)|guidance (?:on|about|for|with|regarding)|"
    r"suggest\w* (?:for|about|on|regarding)|advice (?:on|about|for)|"
    r"figur\w* out|brain-?storm\w*|research\w*|trac\w+|proof-?read\w*|plan\w*|design\w*|compar\w*|confirm\w*)"
    r"(?: (?:\w+|[/'-]){1,5}?)??(?: (?:the|this|my|of|some|existing|current|a|an|all|and|edge|failing|"
    r"flaky|what|why|in|for|on|with|about)){0,5}"
    r" (?:tests?|test cases?|code|codebase|code ?base|changes?|implementations?|docs?|documentation|ui|"
    r"specs?|fix\w*|sql|quer(?:y|ies)|config\w*|types?|functions?|components?|class(?:es)?|methods?|"
    r"workflows?|frontend|backend|patch\w*|algorithms?|approach|setup|syntax|updates?)\b"
)


_ADVISING_PHRASE = re.compile(
    r"\b(?:understand|explore|investigate|diagnose|debug|analy[sz]e|learn|navigate|research|explain|audit|identify|"
    r"locate|"
    r"brainstorm|discuss|verify|validate|double-?check|figure out|look (?:at|into|up|for)|search(?: for)?|reproduce|"
    r"understanding|exploring|investigating|diagnosing|debugging|analy[sz]ing|learning|navigating|researching|"
    r"explaining|auditing|"
    r"identifying|locating|brainstorming|discussing|verifying|validating|figuring out|looking (?:at|into|up|for)|"
    r"searching(?: for)?)"
    r" (?:\w[\w/'.-]* )*?[\w/'.-]+(?=$|[^\w\s/'.-]| (?:and|to|for|but|then|while|before|so|as|in order)\b|\.?$)"
)
"""To understand the build system is not to build."""


@lru_cache(maxsize=4096)
def scope_of(plain: str) -> str:
    """What a clause in plain form says that the tool did: MAKING, ADVISING, or UNSAID when it does not say."""
    rest = _NOT_DONE.sub(" ", _SUBORDINATE.sub(" ", _BY_HAND.sub(" ", plain)))
    rest = _ABOUT_THE_DESCRIPTION.sub(" description ", rest)
    rest = _ADVISING_PHRASE.sub(" review ", _ADVISING_OBJECT.sub(" review ", rest))
    if _MAKING.search(rest):
        return MAKING
    return ADVISING if _ADVISING.search(rest) else UNSAID


_NO = re.compile(
    r"\b(?:no|not|never|without|none|nothing|neither|nor|cannot|zero|non|didn't|don't|doesn't|wasn't|"
    r"weren't|haven't|hasn't|isn't|aren't|didnt|dont|wasnt|avoid\w*|instead of|rather than|0 ?%)\b"
    r"(?! (?:only|just|longer|problem|sure|yet|perfect|all|entirely|fully|100|exclusively|merely|solely|"
    r"tested|reviewed|verified|issues?|doubt|worries)\b)"
)
_DENIAL = re.compile(
    r"^\W*(?:no+(?:pe|ne)?|n(?=\W*$)|nah|none|n/a|n\.a\.?|na|nil|null|false|not? (?:applicable|used|needed|really|"
    r"at all|relevant)|zero|nothing|never|without|not|-+|x|❌|🚫|👎|non[- ]?N?|didn't|did not|wasn't|human|"
    r"hand-?written|100% human|fully human|entirely human|manually|nein|non|não|nao|нет|否|无|なし|いいえ|なし|沒有|"
    r"没有|未使用)(?:\b|$|(?=\W))",
)
_BOUNDARY = re.compile(r"[,:;(]\s|\s-\s|\b(?:so|but|because|however|though|although|therefore|hence)\b")
_FIRST_TOKEN = re.compile(r"[TMHLPN]")
_EXCEPT = re.compile(
    r"\b(?:except|other than|apart from|besides|aside from|beyond|but (?:i )?(?:used|asked|did use))\b"
)
_SUPPOSED = re.compile(
    r"^\W*(?:if|when|whenever|unless|whether|in case|should you|please|ensure|make sure|remember|did you|"
    r"have you|has|was|were|is|are|do|does|indicate|describe|list|specify|check|tick|disclose|state|select|"
    r"explain|which|what|how|who|where|why|see|read)\b"
    r"(?!.*\b(?:yes|:)\b)|\bif (?:you|any|N|T|M|so|yes|applicable|ai)\b|\b(?:please|must be|must|should|"
    r"may|might|can|could|would|will|shall|want to|going to|need to|needs to|plan to|todo|to-do|tbd|let's|"
    r"allow\w*|enabl\w*|support(?:s|ing)?|able to|intend\w*|hope\w*|you|your|users?|customers?|developers?|"
    r"contributors?|people|anyone|someone|they|their)\b"
)
_ATTESTED = re.compile(
    r"\b(?:i (?:have |fully |also )?(?:read|understand|understood|reviewed|agree|confirm|certify|"
    r"acknowledge|take|am|accept|tested|verified|disclosed|declared|own|can explain|checked|followed|"
    r"comply)|any N|all N|polic(?:y|ies)|guidelines?|responsib\w*|comply|complies|compliance|not a (?:pure|"
    r"fully|purely)|declared|disclosed|conduct|requirements?|slop)\b"
)


def is_denied(plain: str, before: int, start: int = 0) -> bool:
    """Whether a denial stands before this place of a clause, with nothing excepted from it. What is said begins at
    `start`: a denial counts where no new part of the clause begins between it and the first word for AI from there."""
    if _EXCEPT.search(plain, 0, before):
        return False
    token = _FIRST_TOKEN.search(plain, start)
    limit = token.start() if token and token.start() < before else before
    boundary = max((hit.end() for hit in _BOUNDARY.finditer(plain, 0, limit)), default=0)
    return _NO.search(plain, boundary, before) is not None


def is_denial(plain: str) -> bool:
    """Whether an answer says no."""
    return _DENIAL.match(plain) is not None and _EXCEPT.search(plain) is None


def is_supposed(plain: str) -> bool:
    """Whether a clause asks, supposes, demands or speaks of others: no statement of what was done."""
    return _SUPPOSED.search(plain) is not None or plain.rstrip(" )\"'*").endswith("?")


def is_attestation(plain: str) -> bool:
    """Whether a clause promises something of whatever AI wrote, if any: the ticked boxes of templates.

    What follows the word for AI is no such promise: "created with AI, and I have reviewed it" says that it was used.
    """
    token = _FIRST_TOKEN.search(plain)
    return _ATTESTED.search(plain, 0, token.end() if token else len(plain)) is not None
