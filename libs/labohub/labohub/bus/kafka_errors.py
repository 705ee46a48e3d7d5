"""What aiokafka raises, in the hub's words."""

from aiokafka import errors

from labohub.bus.port import BusClosed, BusUnavailable
from labohub.errors import HubError, Misconfigured

_OPERATOR = (
    errors.AuthenticationFailedError,
    errors.AuthenticationMethodNotSupported,
    errors.ClusterAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.IllegalSaslStateError,
    errors.IncompatibleBrokerVersion,
    errors.InvalidConfigurationError,
    errors.InvalidPartitionsError,
    errors.InvalidReplicationFactorError,
    errors.InvalidTopicError,
    errors.PolicyViolationError,
    errors.SaslAuthenticationFailed,
    errors.TopicAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailed,
    errors.UnsupportedSaslMechanismError,
    errors.UnsupportedVersionError,
)


class KafkaRefusesUs(Misconfigured):
    """The cluster refuses our name, our rights, our topics' settings or our version."""

    code = "bus.kafka-refuses"


def translate(error: Exception) -> HubError:
    """Return the hub's error for one of aiokafka's. The text names its class alone."""
    name = type(error).__name__
    if isinstance(error, _OPERATOR):
        return KafkaRefusesUs(name)
    if isinstance(error, errors.ProducerClosed | errors.ConsumerStoppedError):
        return BusClosed("the event log is closed")
    return BusUnavailable(f"the event log does not answer ({name})")
