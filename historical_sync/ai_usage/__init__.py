"""Who wrote this, and how do we know: signatures, the cleaning of text, tagging and its evaluation."""
