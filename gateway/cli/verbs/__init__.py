"""One module for each verb of this machine; the verb is named like its module."""
