"""Mails: worded with Jinja in the nine locales of documents, sent by SMTP. When one is sent is not decided here."""
