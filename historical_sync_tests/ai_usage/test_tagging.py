"""A pull request's evidence: every place, its role there, and the words that prove it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historical_sync.ai_usage.rows import AUTHOR, AUTOMATION, EXACT, MENTION, REVIEWER, ROLES, SUGGESTION
from historical_sync.ai_usage.tagging import QUOTE_LENGTH, is_automation, tag
from historical_sync.records import Evidence, PullRequest, storable_text
from historical_sync_tests.factories import make_commit, make_pull_request, make_review

CLAUDE = "Co-Authored-By: Claude Opus 4.5 <noreply@anthropic.com>"
FOOTER = "🤖 Generated with [Claude Code](https://claude.com/claude-code)"


def hits(**changes: object) -> set[tuple[str, str, str]]:
    return {(hit.tool, hit.role, hit.source) for hit in tag(make_pull_request(**changes))}


def commit(message: str) -> tuple[object, ...]:
    return (make_commit(message=message),)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"author_login": "copilot-swe-agent"}, {("copilot", AUTHOR, "author")}),
        ({"author_login": "app/devin-ai-integration[bot]"}, {("devin", AUTHOR, "author")}),
        ({"author_login": "dependabot[bot]"}, {("dependabot", AUTOMATION, "author")}),
        ({"head_ref": "codex/fix-build"}, {("codex", AUTHOR, "branch")}),
        ({"title": "[codex] Fix the build"}, {("codex", AUTHOR, "title")}),
        ({"body": FOOTER}, {("claude", AUTHOR, "body")}),
        ({"body": CLAUDE}, {("claude", AUTHOR, "body")}),
        ({"commits": commit(f"Fix\n\n{CLAUDE}")}, {("claude", AUTHOR, "commit_trailer")}),
        ({"commits": commit(f"Fix\n\n{FOOTER}")}, {("claude", AUTHOR, "commit_message")}),
        ({"commits": (make_commit(author_login="openhands-agent"),)}, {("openhands", AUTHOR, "commit_author")}),
        ({"commits": (make_commit(author_email="amp@ampcode.com"),)}, {("amp", AUTHOR, "commit_author")}),
        ({"reviews": (make_review(reviewer_login="coderabbitai"),)}, {("coderabbit", REVIEWER, "reviewer")}),
        ({"body": "## Summary by CodeRabbit\n* Fix"}, {("coderabbit", REVIEWER, "body")}),
        ({"body": "<!-- CURSOR_SUMMARY -->\n> [Cursor Bugbot]"}, {("cursor", REVIEWER, "body")}),
    ],
)
def test_every_place_is_looked_at(changes: dict[str, object], expected: set[tuple[str, str, str]]) -> None:
    """Author, branch, title, description, messages, trailers, commit authors and reviewers."""
    assert hits(**changes) == expected


def test_an_account_has_its_role_by_place() -> None:
    """The same account writes where it writes and reviews where it reviews."""
    reviewed = make_review(reviewer_login="claude")
    assert hits(reviews=(reviewed,)) == {("claude", REVIEWER, "reviewer")}
    assert hits(author_login="claude[bot]") == {("claude", AUTHOR, "author")}
    assert hits(author_login="claude[bot]", reviews=(reviewed,)) == {
        ("claude", AUTHOR, "author"),
        ("claude", REVIEWER, "reviewer"),
    }


@pytest.mark.parametrize(
    "trailer",
    [
        "Co-authored-by: coderabbitai[bot] <136622811+coderabbitai[bot]@users.noreply.github.com>",
        "Co-authored-by: gemini-code-assist[bot] <gemini-code-assist[bot]@users.noreply.github.com>",
        "Co-authored-by: Copilot Autofix powered by AI "
        "<62310815+github-advanced-security[bot]@users.noreply.github.com>",
    ],
)
def test_an_accepted_suggestion_is_a_role_of_its_own(trailer: str) -> None:
    """A reviewer's trailer is a suggestion that a person took; it makes nothing AI-authored."""
    assert {hit.role for hit in tag(make_pull_request(commits=commit(f"Fix\n\n{trailer}")))} == {SUGGESTION}


def test_a_formatter_is_automation_and_not_ai() -> None:
    """autofix-ci runs formatters; counting it as AI was a fault of the system before."""
    trailer = "Co-authored-by: autofix-ci[bot] <114827586+autofix-ci[bot]@users.noreply.github.com>"
    assert hits(commits=commit(f"Fix\n\n{trailer}")) == {("autofix_ci", AUTOMATION, "commit_trailer")}


@pytest.mark.parametrize(
    ("number", "tool", "strength"),
    [("198982749", "copilot", EXACT), ("223556219", "copilot", EXACT), ("175728472", "copilot", MENTION)],
)
def test_the_number_tells_copilots_products_apart(number: str, tool: str, strength: str) -> None:
    """Three products share an address; what may be an accepted suggestion is the weaker evidence."""
    trailer = f"Co-authored-by: Copilot <{number}+Copilot@users.noreply.github.com>"
    (hit,) = tag(make_pull_request(commits=commit(f"Fix\n\n{trailer}")))
    assert (hit.tool, hit.role, hit.strength) == (tool, AUTHOR, strength)


@pytest.mark.parametrize(
    "message",
    [
        "Fix\n\nReviewed-by: Claude <noreply@anthropic.com>",
        "Fix\n\nReported-by: Claude <noreply@anthropic.com>",
        f"Fix\n\n```\n{CLAUDE}\n```",
        f"Fix\n\n> {CLAUDE}",
        "Fix\n\nCo-authored-by: Devin Villarosa <devin@example.com>",
        "Fix\n\nCo-authored-by: Ada <ada@anthropic.com>",
        "Fix\n\nCo-authored-by: Claude <claude@martin.example>",
        "Fix\n\nAssisted-by: Ada Lovelace <ada@example.com>",
        "Fix\n\nAI-used: none",
        "Fix\n\nAI-assisted: no",
        "Fix\n\nGenerated-by: protoc 3.1",
        "The trailer Co-authored-by: Claude <noreply@anthropic.com> is required",
    ],
)
def test_trailers_that_make_nobody_an_author(message: str) -> None:
    """Reviews, quotes, code, people, other generators and denials."""
    assert tag(make_pull_request(commits=commit(message))) == []


@pytest.mark.parametrize(
    ("trailer", "tool", "strength"),
    [
        ("Assisted-by: Claude:claude-opus-4-5", "claude", EXACT),
        ("Assisted-by: codemaker with glm-5.1", "glm", EXACT),
        ("Generated-by: GitHub Copilot CLI", "copilot", EXACT),
        ("AI-used: yes, for tests", "generic", EXACT),
        ("AI-tool: Goose", "goose", EXACT),
        ("Assisted-by: Some Agent:some-model-2", "generic", EXACT),
        ("Co-authored-by: ChatGPT <chatgpt@openai.com>", "chatgpt", MENTION),
        ("Co-authored-by: GitHub Copilot <noreply@github.com>", "copilot", MENTION),
        ("co-authored-by: Claude Code <ci@claude-code.example>", "claude", MENTION),
        ("Co-Authored-By: Claude", "claude", MENTION),
    ],
)
def test_keys_that_tools_share_name_the_tool_in_their_value(trailer: str, tool: str, strength: str) -> None:
    """Kernel, Apache and home-made keys; a name with an unknown address is weaker than a known address."""
    (hit,) = tag(make_pull_request(commits=commit(f"Fix\n\n{trailer}")))
    assert (hit.tool, hit.role, hit.source, hit.strength) == (tool, AUTHOR, "commit_trailer", strength)


def test_the_model_behind_a_tool_is_told_by_its_own_footer() -> None:
    """Mux writes down which model it ran."""
    body = "_Generated with `mux` • Model: `anthropic:claude-opus-4-5` • Thinking: `high`_"
    assert {hit.tool for hit in tag(make_pull_request(body=body))} == {"mux", "claude"}
    assert {hit.tool for hit in tag(make_pull_request(body=body.replace("claude-opus-4-5", "other")))} == {"mux"}


@pytest.mark.parametrize(
    ("name", "address", "tool"),
    [
        ("Ada Lovelace (aider)", "ada@example.com", "aider"),
        ("Codex", "codex@localhost", "codex"),
        ("Claude Opus 4.5", "noreply@example.com", "claude"),
        ("Claude Dupont", "claude@example.com", None),
        ("Cline user-6b3c1cebd", "user-6b3c1cebd@users.noreply.example", None),
    ],
)
def test_a_tool_may_commit_under_its_name(name: str, address: str, tool: str | None) -> None:
    """A committer is recognised by a tool's name too, where that is no person's."""
    commit = make_commit(message="Fix it", author_name=name, author_email=address)
    found = [hit.tool for hit in tag(make_pull_request(commits=(commit,))) if hit.role == AUTHOR]
    assert found == ([tool] if tool else [])


@pytest.mark.parametrize(
    ("body", "tools"),
    [
        ("🤖 Generated with [Qoder](https://qoder.com)", {"generic"}),
        ("🤖 Generated with [Claude Code](https://claude.com/claude-code)", {"claude"}),
        ("Entire-Checkpoint: 01M2VBJBJQZ2BP1W2PBWDF3J30", {"generic"}),
    ],
)
def test_a_mark_of_no_tool_in_particular_yields_to_one_that_names_it(body: str, tools: set[str]) -> None:
    """Marks that many agents share prove AI; the tool is `generic` only where no other mark names it."""
    assert {hit.tool for hit in tag(make_pull_request(body=body)) if hit.role == AUTHOR} == tools


def test_a_reviewers_summary_is_not_the_authors_word() -> None:
    """The line by which a reviewer signs its summary is a reviewer's, whatever it says of being generated."""
    hits = tag(make_pull_request(body="### <samp>🤖 Generated by Copilot at ad80a0e</samp>\n\nAdds a label."))
    assert {hit.role for hit in hits} == {"reviewer"}


def test_a_release_speaks_of_the_product() -> None:
    """Prose of a release pull request is about what others did: only marks and trailers count in it."""
    body = "## Added\n- Copilot wrote tests command\n"
    assert tag(make_pull_request(title="chore(release): 1.2.0", body=body)) == []
    assert tag(make_pull_request(title="Fix it", body="Copilot wrote the tests"))


def test_all_commits_are_looked_at_and_told_apart() -> None:
    """The hundred-and-first commit counts like the first; the position says which one it was."""
    commits = [make_commit(oid=str(index)) for index in range(150)]
    for index in (0, 101, 149):
        commits[index] = make_commit(oid=str(index), message=f"Fix\n\n{CLAUDE}")
    assert [hit.position for hit in tag(make_pull_request(commits=tuple(commits)))] == [0, 101, 149]


@pytest.mark.parametrize(
    "text",
    [
        f"* Add parser (#12)\n\n{CLAUDE}\n\n* Add printer (#13)\n\n{FOOTER}\nWritten with Claude.\n\n* Add docs (#14)",
        f"Revert it\n\nThis reverts commit 1a2b3c.\n\nOriginal commit message:\n\n{FOOTER}\n{CLAUDE}",
        f"Revert it\n\n    {CLAUDE}",
        'Revert "Parser written by Claude Code"',
    ],
)
def test_what_others_wrote_is_not_this_pull_requests(text: str) -> None:
    """Release notes, squashes of whole branches and reverts quote other people's words and trailers."""
    assert tag(make_pull_request(body=text, commits=commit(text))) == []


def test_a_revert_may_have_been_made_with_a_tool() -> None:
    """A revert's own trailer and footer are its own; so is a list with one other pull request in it."""
    revert = f'Revert "Add it"\n\nThis reverts commit 1a2b3c.\n\n{CLAUDE}'
    assert {hit.tool for hit in tag(make_pull_request(commits=commit(revert)))} == {"claude"}
    follow_up = f"- follows the parser (#12)\n\n{FOOTER}"
    assert {hit.tool for hit in tag(make_pull_request(body=follow_up))} == {"claude"}


def test_what_dependency_bots_quote_is_not_theirs() -> None:
    """Dependabot carries other projects' release notes and trailers; none of it is evidence about this team."""
    body = f"Release notes\n\n{FOOTER}\n\nWritten with Claude"
    one = make_pull_request(author_login="dependabot", body=body, commits=commit(f"Bump x\n\n{CLAUDE}"))
    assert {hit.role for hit in tag(one)} == {AUTOMATION}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"author_login": "dependabot", "author_type": "Bot"}, True),
        ({"author_login": "some-release-app", "author_type": "Bot"}, True),
        ({"author_login": "copilot-swe-agent", "author_type": "Bot"}, False),
        ({"author_login": "brand-new-agent", "author_type": "Bot", "body": FOOTER}, False),
        ({"author_login": "github-actions", "author_type": "Bot", "body": FOOTER}, False),
        ({"author_login": "ada", "author_type": "User"}, False),
        ({"author_login": None, "author_type": None}, False),
    ],
)
def test_automation_is_neither_people_nor_agents(changes: dict[str, object], expected: bool) -> None:
    """Agents are authors; an App that shows no sign of AI is automation; a deleted account is a person."""
    one = make_pull_request(**changes)
    assert is_automation(one, tag(one)) is expected


def check_quotes(one: PullRequest, evidence: list[Evidence]) -> None:
    places = [one.author_login or "", one.head_ref, one.title, one.body]
    places += [
        text or "" for c in one.commits for text in (c.message, c.author_login, f"{c.author_name} <{c.author_email}>")
    ]
    places += [review.reviewer_login or "" for review in one.reviews]
    flat = [" ".join(place.split()) for place in places]
    for hit in evidence:
        assert 0 < len(hit.quote) <= QUOTE_LENGTH
        assert hit.quote == storable_text(hit.quote)
        assert any(" ".join(hit.quote.split()) in place for place in flat), hit


def test_quotes_are_literal_and_short() -> None:
    """A quote is the words themselves, at most 200 characters with the hit in them."""
    long = "x" * 500 + " https://claude.ai/code/session_01Ab " + "y" * 500
    one = make_pull_request(
        head_ref="claude/fix",
        body=f"{long}\n\nThe tests were written\nby Claude, {'and ' * 200}",
        commits=commit(CLAUDE),
    )
    evidence = tag(one)
    assert {hit.source for hit in evidence} == {"branch", "body", "commit_trailer"}
    assert any("claude.ai/code/session_01Ab" in hit.quote for hit in evidence)
    check_quotes(one, evidence)


PIECES = st.sampled_from(
    [
        FOOTER,
        CLAUDE,
        "AI disclosure:",
        "Claude",
        "written by",
        "Cursor",
        "\n",
        "\n\n",
        " ",
        "- [x] ",
        "> ",
        "```",
        "no ",
        "İ",
        "\ud800",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=30).map("".join))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_tagged(text: str) -> None:
    """Whatever a body holds, tagging ends, its keys are unique, its roles known, and its quotes literal."""
    text = storable_text(text)
    one = make_pull_request(title=text, body=text, commits=commit(text))
    evidence = tag(one)
    keys = [(hit.signature_id, hit.source, hit.position) for hit in evidence]
    assert len(keys) == len(set(keys))
    assert {hit.role for hit in evidence} <= set(ROLES)
    check_quotes(one, evidence)


HOSTILE = (
    "claude ",
    "used claude to ",
    "written by claude, ",
    "the code was written with ",
    "AI disclosure: ",
    "## AI disclosure\n\n",
    "- [x] ai ",
    "```",
    "`",
    "<!--",
    "<",
    "((claude ",
    "*",
    "_",
    "\n",
    "> ",
    "1. ",
    "Co-authored-by: <",
    "🤖 generated with [claude",
    "not used claude ",
    "claude (gpt-5) ",
    "(e.g. claude ",
    "which ",
    "all the code ",
    "https://",
    "a@",
    "| ",
    "İ",
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", HOSTILE)
def test_hostile_text_takes_linear_time(seed: str) -> None:
    """GitHub's longest description, 65,536 characters made to make patterns backtrack, ends long before the limit."""
    text = seed * (65_536 // len(seed))
    one = make_pull_request(title=text, body=f"{text} written by Claude", commits=commit(f"Claude {text}"))
    check_quotes(one, tag(one))
