"""The doors of channels whose senders are accounts elsewhere: Slack, e-mail."""
