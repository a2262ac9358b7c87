"""The page that a team looks at: progress, trends, and the JSON beside them.

Pure modules say what a page shows (`progress_page`, `insights`, `trends_page` with `figures`, `charts`, `chart_tables`,
`comparisons`, `pull_request_list` and `trends_state`; `formatting` writes numbers for people); `access` knows who may
see which team, `assets` the files; `routes` answer addresses inside a team's transaction, and `server` puts them
together.
"""
