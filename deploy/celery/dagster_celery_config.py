"""What a Celery worker of Dagster's reads when it starts: `celery -A dagster_celery.app worker`, with this folder on
PYTHONPATH. Addresses come from the environment, since a broker's may hold a password.
"""

import os

broker_url = os.environ["HISTORICAL_SYNC_CELERY_BROKER"]
result_backend = os.environ["HISTORICAL_SYNC_CELERY_BACKEND"]
broker_transport_options = {"visibility_timeout": 7200}
worker_prefetch_multiplier = 1
# A process that has done fifty runs is replaced, so that nothing it may have kept in memory stays for ever.
worker_max_tasks_per_child = 50
# The worker's own line about each task would repeat its arguments; Dagster has its own log of the run.
worker_redirect_stdouts_level = "WARNING"
broker_connection_retry_on_startup = True
