"""The addresses of signed links to exports."""

from core.secrets.links import Link, Links

DOWNLOAD_PATH = "/v1/downloads/{token}"


class Downloads:
    """Writes the whole address of a link, as answers carry it."""

    def __init__(self, links: Links, *, public_url: str) -> None:
        self._links = links
        self._public_url = public_url

    def url_of(self, link: Link) -> str:
        """Sign a link, and say where it is good."""
        return self._public_url + DOWNLOAD_PATH.format(token=self._links.sign(link))
