"""The phrases that wordings are built of, as regular expressions over clauses in plain form (see `clauses`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

TOOL = "[TMH]"
SURE = "[TH]"
ANY = "[TMHN]"
LOOSE = "[TMHLN]"

ADVERB = (
    r"(?:(?:\w+ly|also|all|almost|just|then|first|originally|initially|in part|in full|in large part|"
    r"heavily|for the most part|with love|pretty much|more or less|basically)\b,? |\d+ ?% )*"
)
LEAD = (
    r"^(?:\W|fyi|n\.?b\.?|ps|p\.s\.|btw|note|notes|disclaimer|disclosure|discl\w+|full disclosure|"
    r"transparency|transparency note|heads[- ]up|caveat|caution|warning|info|update|edit|yes|also|and|so|credits?|"
    r"wip|draft|initial commit|first pass|co-?author|attribution|for transparency|"
    r"in the interest of transparency|in full transparency|human[- ]\w+ed|"
    r"not \w+ed(?: \w+)?|tests?|code|docs|implementation)*[\s:,;.()\-]*" + ADVERB
)
_TAIL = (
    r"(?: (?:automation|(?:sub)?agents?|sessions?|skills?|cli|ide|extension|plugin|chat|web|app|desktop|assistant|"
    r"prompts?|"
    r"(?:agent |plan |ask |edit |auto )?mode))"
)
"""Words that may follow a tool's name and say nothing more: "using Copilot agent mode"."""
AFTER = (
    rf"(?={_TAIL}?\s*(?:$|[.,;:!?)\"'/]|-|and\b|but\b|with\b|under\b|plus\b|then\b|to\b|for\b|in\b|on\b|as\b|over\b|"
    r"during\b|based\b|from\b|reviewed\b|using\b|via\b|because\b|since\b|while\b|after\b|so\b|which\b|"
    r"who\b|where\b|though\b|however\b|&|\+|=|[\u2600-\u27bf\U0001f000-\U0001ffff]))"
)
MADE = (
    r"(?:\w+ed and )?(?:written|re-?written|generated|created|re-?created|authored|co-?authored|"
    r"co-?written|co-?created|co-?developed|implemented|coded|co-?coded|vibe[- ]?coded|developed|produced|"
    r"drafted|built|made|done|prepared|refactored|fixed|composed|"
    r"scaffolded|ported|migrated|translated|converted|completed|crafted|contributed|bootstrapped|"
    r"optimi[sz]ed|designed and \w+|performed|executed|reworked|restructured|reorgani[sz]ed|prototyped|programmed|"
    r"pair[- ]?programmed|hacked(?: together| up)?|"
    r"put together|assembled|added|updated|one-?shot(?:ted)?|auto-?generated|auto-?completed|whipped up|"
    r"cooked up|assisted|aided|helped|supported|solved|resolved|tackled|performed|carried out|handled|"
    r"largely \w+ed|partially \w+ed)"
)
BY = (
    r"(?:by (?:prompting|instructing|asking)|by|with|using|via|through|"
    r"in collaboration with|in cooperation with|in tandem with|"
    r"in partnership with|together with|alongside|thanks to)"
)
BY_SIGNS = (" by ", " with ", " using ", " via ", " through ", " alongside ", " thanks to ")
"""Of these one is in every text that matches BY, between blanks."""
HELP = (
    r"(?:(?:the |some |a lot of |lots of |a bit of |a little |much |significant |heavy |substantial |"
    r"minor |minimal |partial |partly |great |big |my |its |an? )*(?:help|assistance|assist|aid|support|"
    r"use|usage|collaboration|co-?authorship|contributions?|magic|power|input)(?: (?:from|of|by|with|"
    r"via))? )"
)
ARTICLE = (
    r"(?:the |my |our |an? |some |good |old |dear |trusty |favou?rite |local |friendly |neighbou?rhood |robot |"
    r"robotic |"
    r"digital |virtual |friend |buddy |pal |colleague |coworker |intern |assistant |companion |overlords? )*"
)
CODE = (
    r"(?:pr|prs|pull request|merge request|mr|patch|patchset|change|changes|changeset|commit|commits|code|"
    r"codebase|implementation|fix|fixes|bug-?fix|tests?|unit[- ]tests?|test cases?|testcases?|e2e|specs?|"
    r"docs?|documentation|docstrings?|"
    r"javadocs?|refactor|refactoring|contribution|work|diff|scripts?|feature|branch|solution|draft|version|"
    r"files?|rules?|module|boilerplate|migrations?|translations?|improvements?|updates?|edits?|logic|"
    r"prototype|poc|algorithm|benchmarks?|"
    r"skeleton|scaffold(?:ing)?|stuff|thing|things|everything|it|this|that|most|rest|lines|half|majority|"
    r"bulk|parts?|portions?|all|workaround|rewrite|port|conversion|styling|css|ui|frontend|backend|"
    r"component|components|function|functions|regex|changelog entry|example|examples|readme|typings?|types|"
    r"comments)"
)
NOT_THE_TEXT = (
    r"(?! (?:description|summar\w*|title|body|message|messages|text|template|review\w*|comment|comments|"
    r"name|names|template|bot|workflow|titles|descriptions|policy|guidelines?|detection|support|provider|"
    r"integration|feature|features|button|agent|mode|label|tool)\b)"
)
OF_THIS = (
    r"(?:this|these|the|my|our|all|most|much|some|parts?|half|bulk|majority|portions?|large parts?|"
    r"everything|both|entire|whole|rest|initial|first|a lot|lots|almost|nearly|about|approximately|roughly|"
    r"it|they|code|tests?|docs|unit tests?|pr|patch|documentation|implementation|changes|commits?|fix)"
)
THIS_WORK = (
    r"(?:(?:this|these|it|that|everything|most of|all of|parts? of|some of|the|an?|my|our|all|initial|"
    r"first|new|unit|whole|"
    r"entire|missing|following) )*"
)
"""Before a word for code: that it is the code of this change."""
WAS = (
    r"(?:was|were|has been|have been|had been|been|got|gets|are|is|is being|being|'s|'s been|were all|was all|are all)"
)
PAST = (
    r"(?:wrote|re-?wrote|generated|created|implemented|authored|co-?authored|coded|drafted|produced|fixed|"
    r"refactored|built|made|did|came up with|contributed|added|handled|translated|ported|updated|converted|"
    r"completed|developed|migrated|took care of|cooked up|whipped up|designed and implemented|cleaned up|"
    r"vibe[- ]?coded|one-?shot(?:ted)?|proposed and implemented|auto-?completed|suggested the|figured out how to|"
    r"found and fixed|"
    r"knocked out|cranked out|spat out|did)"
)
CRAFTED = (
    r"(?:wrote|re-?wrote|implemented|refactored|came up with|built|re-?built|drafted|ported|authored|coded|"
    r"auto-?completed|"
    r"found and fixed|translated|scaffolded|converted|migrated|designed and \w+)"
)
"""What only a maker does: products, too, "create", "generate" and "add" things."""
HELPED = (
    r"(?:helped|(?:assisted|aided|supported)(?= (?:me|us|with|in|by|on|to)\b)|collaborated|co-?piloted|"
    r"helping|assisting|helps|assists|was (?:of )?(?:a )?(?:great |big |huge )?help(?:ful)?)"
)
WORK = (
    r"(?:write|writing|code|coding|implement\w*|generat\w*|creat\w*|refactor\w*|fix\w*|add\w*|build\w*|"
    r"develop\w*|draft\w*|port\w*|migrat\w*|convert\w*|translat\w*|updat\w*|improv\w*|clean\w*|scaffold\w*|"
    r"do|make|prototype|rewrite|optimi[sz]e|edit\w*|simplify|finish\w*|complet\w*|produce|"
    r"design and implement|put together|come up with|make|tests?|unit tests?|boilerplate|docs|"
    r"documentation|(?:take|have) (?:a|the|another) (?:stab|crack|shot|go|pass|first)\b.{0,10}(?:this|it|pass|cut)?|"
    r"handle|turn|try)"
)
FIRST_PERSON = (
    r"(?:^|\b(?:i|we|i've|we've|i'd|author|authors?)\b(?: have| had| did| also| then)?|[,;:(] ?|\b(?:and|"
    r"but|also|then|have|has|had)\b) ?(?:" + ADVERB + r")"
)


@dataclass(frozen=True)
class Wording:
    """A way to say that a tool made something of a change. `needs_making`: the clause must also name the making;
    `needs_help`: a noun that names no tool must be one for help (`AI assistance`);
    `has_subject`: what stands before it must be part of the change; `signs`: literals of which one is in every clause
    that matches: the pattern is tried on no other."""

    name: str
    pattern: str
    examples: tuple[str, ...]
    near_misses: tuple[str, ...]
    signs: tuple[str, ...]
    needs_making: bool = False
    needs_help: bool = False
    has_subject: bool = False

    @cached_property
    def expression(self) -> re.Pattern[str]:
        return re.compile(self.pattern)
