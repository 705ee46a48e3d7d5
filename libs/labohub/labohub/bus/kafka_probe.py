"""Why a cluster refuses us: aiokafka says "cannot connect" for a wrong password and for a broker that is away."""

import asyncio
import contextlib
import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError

from labohub.bus.kafka_errors import KafkaRefusesUs, translate
from labohub.bus.kafka_options import KafkaOptions

PROBE_SECONDS = 5.0


async def refusal(options: KafkaOptions) -> KafkaRefusesUs | None:
    """Return what the operator must change, as the first server that answers sees it; None when time may heal it."""
    arguments = options.client_arguments()
    del arguments["bootstrap_servers"]
    for server in options.servers:
        host, _, port = server.rpartition(":")
        with contextlib.suppress(OSError, TimeoutError):
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    connection = await create_conn(
                        host, int(port), request_timeout_ms=int(PROBE_SECONDS * 1000), **arguments
                    )
            except ssl.SSLCertVerificationError as error:
                return KafkaRefusesUs(f"its certificate is not trusted ({error.verify_message})")
            except KafkaError as error:
                reason = translate(error)
                if isinstance(reason, KafkaRefusesUs):
                    return reason
            else:
                connection.close()
                return None
    return None
