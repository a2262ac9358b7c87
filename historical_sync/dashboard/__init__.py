"""The page that a team looks at: progress, trends, and the JSON beside them."""
