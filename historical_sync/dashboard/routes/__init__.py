"""What each address answers: the gate, one transaction a request, and a view handed to a template or to JSON."""
