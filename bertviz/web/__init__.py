"""view → page: the payload, the HTML around it, figures without a browser."""
