"""Webhook endpoints: who may deliver, what a payload becomes, in whose name it runs."""
