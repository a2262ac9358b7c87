"""An imitation of GitHub and Groq over loopback HTTP. A tower: it imports nothing of ours."""
