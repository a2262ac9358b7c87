"""Classification by an LLM: the rubric, the batches, Groq, and the ledger by which a line is paid for once."""
