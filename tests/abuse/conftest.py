"""The users and servers of tests/http."""

from tests.http.conftest import admit as admit
from tests.http.conftest import replicas as replicas
from tests.http.conftest import shared_pool as shared_pool
from tests.http.conftest import shared_url as shared_url
