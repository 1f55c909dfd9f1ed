# Everything that people and machines run here. Nothing runs only on a server: .ci/run calls `make test`.

CARGO ?= cargo
FEATURES = $(shell sed -n 's/^default = \[\(.*\)\]/\1/p' Cargo.toml | tr -d '",')

.PHONY: run tools dev test check torture torture-rights conformance image screenshots bench bench-import bench-search bench-search-kinds bench-search-fresh bench-search-roles bench-record bench-access bench-accounts bench-writes bench-jobs bench-table bench-form bench-batch bench-trees bench-start bench-build man deb fmt clean

# Builds the program and shows the sample collection. When it is ready it prints its address.
run: tools
	$(CARGO) build --release --locked
	./target/release/app serve --sample

# Says what is missing before a long build does.
tools:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing: install it from https://rustup.rs, open a new terminal and try again." >&2; exit 1; }
	@command -v cc >/dev/null || { echo "A C compiler is missing. On Debian: sudo apt-get install build-essential" >&2; exit 1; }

# The same from a quick build, for working on it.
dev: tools
	$(CARGO) run --locked -- serve --sample

# The whole suite: rooms, features and house rules on SQLite and PostgreSQL, journeys in a browser.
test:
	tests/with-postgres tests/with-chromium \
	    $(CARGO) test --locked --no-fail-fast --features testing --lib --test it --test browser --test torture

# Form, lints and every feature by itself.
check:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --features testing -- -D warnings
	$(CARGO) check --locked --no-default-features
	@for feature in $(FEATURES); do \
	    echo "only $$feature"; \
	    $(CARGO) check --quiet --locked --no-default-features --features $$feature || exit 1; \
	done

# The reliability programme: kills, stops, restarts, crowds and clocks, one line for each. The suite does a short form of
# it on each engine. ITEMS="R1 R14" does only those.
CYCLES ?= 200
torture:
	tests/with-postgres $(CARGO) test --quiet --locked --features testing --test torture -- $(CYCLES) $(ITEMS)
	tests/with-postgres $(CARGO) test --quiet --locked --features testing --lib -- --nocapture a_thousand_due_times

# The long form of what the suite does shortly for rights: 10,000 rounds of "a right goes, then a secret comes", a thousand
# planted records looked for in everything that answers, and more than a million checks of the engine against an oracle.
torture-rights:
	VITRINE_LONG=1 tests/with-postgres $(CARGO) test --quiet --locked --features testing --lib --test it -- --nocapture --test-threads 1 \
	    the_engine_agrees_with_the_oracle a_right_that_is_gone_never_shows_what_came_later planted_words_are_never_seen known_and_unknown_names_take_the_same_time

# Independent opinions: on the OpenAPI document and on signing in through a provider (need Python), and on the accessibility
# of the pages (needs Node). Each fetches its judge the first time.
conformance:
	CARGO=$(CARGO) tests/conformance
	CARGO=$(CARGO) tests/oidc
	CARGO=$(CARGO) tests/with-chromium tests/axe

# What the container image promises, tried without a container engine: read-only root, one folder, nobody in particular.
image:
	$(CARGO) build --release --locked
	tests/image

# Pictures of the pages into target/screenshots, wide, as a phone, light and dark, for judging; and those of the manual.
screenshots:
	CARGO=$(CARGO) tests/with-chromium tests/with-house node tests/screenshots.mjs target/screenshots
	cp target/screenshots/manual/*.webp assets/static/

# The figures of BENCHMARKS.md, each with the raw limit measured in the same run. All of them take about half an hour on
# a machine that does nothing else.
bench: bench-import bench-search bench-search-kinds bench-search-fresh bench-search-roles bench-record bench-access bench-accounts bench-writes bench-jobs bench-table bench-form bench-batch bench-trees bench-start bench-build

bench-import bench-search bench-search-kinds bench-search-fresh bench-search-roles bench-record bench-access bench-accounts bench-writes bench-jobs bench-table bench-form bench-batch bench-trees bench-start: bench-%:
	tests/with-postgres $(CARGO) bench --quiet --locked --bench figures -- $*

bench-build:
	benches/build-seconds debug
	benches/build-seconds release

# Pages for man and completions for shells, from the program's own definition of its commands: target/man, target/completion.
man:
	$(CARGO) build --release --locked
	./target/release/app man --to target/man
	mkdir -p target/completion
	./target/release/app completion bash > target/completion/app.bash
	./target/release/app completion zsh > target/completion/_app
	./target/release/app completion fish > target/completion/app.fish

# A package for Debian and its like: target/debian/vitrine_….deb. Needs `cargo install cargo-deb`.
deb: man
	$(CARGO) deb --no-build --locked

fmt:
	$(CARGO) fmt

clean:
	$(CARGO) clean
