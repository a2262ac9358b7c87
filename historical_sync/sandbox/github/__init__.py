"""The imitation of GitHub's GraphQL API: schema, execution, prices, limits and errors in GitHub's own shapes."""
