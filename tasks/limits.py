"""Bounds on what comes from outside, in one place: what lies beyond one is refused, cut or not believed."""

MOST_TOKENS = 10_000_000
"""The most tokens that a count may say; a larger one is no count, and the order's cost is unknown.

Seventy times the output of ten pictures of the largest tier in the catalogue (14,010 tokens each).
"""

MOST_RESERVES = 3
"""An order that costs more than this many times its reserve stops the run: a price or a count is wrong."""

MESSAGE_CHARS = 500
"""The most characters kept of a provider's error message."""

NUMBER_DIGITS = 9
"""The most digits of a number in a provider's message that are read as a number."""

CONVERTED_PX = 64_000_000
"""The most pixels of a picture that is converted before it is sent: a phone's largest; it takes 400 MB."""

PICTURE_BYTES = 500_000_000
"""The most bytes of a picture in a run's folder that is read: more than an answer has room for."""
ROWS_BYTES = 50_000_000
"""The most bytes of a file of rows: 500 for each of the 100,000 rows that a campaign may have."""

YAML_BYTES = 50_000_000
"""The most bytes of a campaign file, a catalogue or a file of providers. 100,000 rows take some 10 MB."""

ANCHORS_BYTES = 10_000_000
"""The most bytes of a file of root certificates."""

YAML_DEPTH = 50
"""How deep lists and mappings may be nested in such a file. A campaign's own keys go six levels deep."""

YAML_VALUES = 1_500_000
"""The most values of such a file, keys not counted, each alias counted as all that it stands for."""

SETTING_VALUES = 5_000
"""The most values of a campaign's other keys, each with all that is in it. `arms` has at most 26 arms."""

ROWS = 100_000
"""The most rows of a campaign, counted before any is made."""

ROW_VALUES = 1_000_000
"""The most values of all rows together: rows times variables."""

ROWS_CHARACTERS = 20_000_000
"""The most characters of all listed rows, names included, so that their copy beside the run can be read."""

ARMS = 26
"""The most arms of a campaign, those made of factors included: each is compared with every other."""

COMBINATIONS = 10_000
"""The most combinations of the levels of factors, those that are left out included."""

ORDERS = 1_000_000
"""The most draft orders of a run, counted before any is made. A million take 40 s and 300 MB to plan."""

STATEMENTS = 30
"""The most statements that a judge answers about one picture."""

STATEMENT_CHARACTERS = 500
"""The most characters of a statement that a model wrote; a longer one is left out."""

PROMPT_CHARACTERS = 32_000
"""The most characters of a prompt. Source: docstring of `images.generate`, openai package 3.54.0."""

ALL_PROMPTS_CHARACTERS = 200_000_000
"""The most characters of all prompts of a campaign together: every arm's, for every row."""

TEMPLATE_CHARACTERS = 50_000
"""The most characters of a template's source: of a prompt, a path, an expected text."""

TEMPLATE_VALUE_CHARACTERS = 100_000
"""The most characters and items of any value in a template, those inside of lists included."""

TEMPLATE_WORK = 1_000_000
"""What filling a template once may take: ten for each step, and one for each character that steps handle."""

ALL_TEMPLATES_WORK = 50_000_000
"""What filling one prompt for all rows may take beyond 20,000 for each row."""

ANSWER_PIXELS = 2048 * 2048
"""The least pixels that an answer may have room for, for each picture: one may come larger than asked for."""

BYTES_PER_PIXEL = 16 / 3
"""Room for a picture in an answer: four bytes for a pixel, uncompressed, written as Base64.

Whatever format was asked for: another one may come.
"""

ANSWER_MARGIN_BYTES = 2_000_000
"""Room for what else an answer holds: signed credentials, usage, a repeated prompt."""

VECTOR_BYTES = 64_000_000
"""Room for a picture whose bytes do not follow from its pixels: an animation or a drawing."""

JSON_BYTES = 16_000_000
"""The most bytes of an answer without pictures: a judge's reply, a list of models, a batch."""

ERROR_BYTES = 1_000_000
"""The most bytes that are read of an answer whose status says that it failed; the rest is not awaited."""

ERROR_BODY_S = 30.0
"""How long the body of such an answer is awaited, seconds."""

SLOWEST_UPLOAD_BYTES_PER_S = 50_000
"""A request is given this much more time to be sent, by its bytes."""

SLOWEST_DOWNLOAD_BYTES_PER_S = 10_000
"""A file of results that arrives at this rate or faster is read to its end."""

SLOWEST_SEEN_FACTOR = 4
"""An answer is awaited for at least this many times the slowest that the ledger has of its kind."""

SIDECAR_BYTES = 20_000_000
"""The most bytes of a sidecar that is read. A prompt and a judging model's answer take some 300 kB."""

BATCH_FAULTS = 50_000
"""How many faults of a rejected batch are read: as many as a batch may have lines."""

FETCH_S = 120.0
"""How long fetching one picture by its address may take, redirects and further tries included, seconds."""

FETCH_CONNECT_S = 10.0
"""How long a connection to such an address may take, seconds."""

FETCH_TRIES = 3
"""How often such a picture is asked for."""

FETCH_REDIRECTS = 3
"""How often its address may lead elsewhere."""

MOST_REPORTED_USD = 100
"""The most that an answer may say that it cost, dollars; a larger amount is not believed."""

MOST_WEIGHT = 1_000_000
"""The largest weight of a scorer: the sum of all of them must be a number."""
