"""historical_sync: a team's pull-request history, complete, tagged, classified and turned into trends."""
