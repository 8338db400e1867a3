# Airflow with the product in it. Campaigns are no part of the image: they are mounted, or come from Git.
# The slim image brings Airflow without its many optional providers; what is added are exactly the versions that
# the tests and the demo ran with, each checked against its hash.
FROM apache/airflow:slim-3.3.2-python3.11

WORKDIR ${AIRFLOW_HOME}
COPY --chown=airflow:root pyproject.toml constraints.txt ./

# Packages of your own, such as apache-airflow-providers-git for a Git bundle; they may not contradict constraints.txt.
ARG EXTRA_PACKAGES=""

# With the pip of the lock, whatever the base image brings: before 26.1 pip takes the hashes of constraints for a rule that
# every requirement has to be pinned as well, and stops.
RUN sed -n '/^pip==/,/[^\\]$/p' constraints.txt > /tmp/pip.txt \
 && python -m pip install --no-cache-dir --require-hashes --requirement /tmp/pip.txt \
 && python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], 'setuptools', sep='\n')" \
      > /tmp/requirements.txt \
 && pip install --no-cache-dir --constraint constraints.txt --requirement /tmp/requirements.txt \
 && if [ -n "${EXTRA_PACKAGES}" ]; then \
      sed -E '/^ *--hash/d; s/ *\\$//' constraints.txt > /tmp/versions.txt \
      && pip install --no-cache-dir --constraint /tmp/versions.txt ${EXTRA_PACKAGES}; \
    fi \
 && rm -f /tmp/pip.txt /tmp/requirements.txt /tmp/versions.txt

COPY --chown=airflow:root README.md ./
COPY --chown=airflow:root plugins plugins
COPY --chown=airflow:root dags dags
# Inside the package, since include/ is a mount, or not there at all when campaigns come from Git.
COPY --chown=airflow:root include/sql plugins/audiences/include_sql

# In place, so that Airflow's plugins folder and the command `audiences` run the same files.
# The folders are made here because a new volume takes over their owner.
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && mkdir -p campaigns include logs audiences-staging secrets \
 && chmod g+rwX logs audiences-staging secrets
