"""The imitation of Groq's files, batches and chat completions, with a model that reads by rule."""
