"""The ways out that exist: SMTP, Kannel's HTTP, and the outbox of the demonstration."""
