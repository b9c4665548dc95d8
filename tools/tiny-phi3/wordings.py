"""Word lists for augment.py: how the same question is asked in other words.

These are general English, not taken from the held-out lines: they teach the
network which words of a question carry its meaning and which are packaging.
"""

from __future__ import annotations

# Packaging around a whole question or statement.
PREFIXES = (
    "Please", "Hey,", "Hi,", "Hello,", "Ok,", "So", "Well,", "Now", "And", "Quick question:",
    "Question:", "My question is:", "One more question:", "I wonder:", "Say,", "Sorry,",
    "Just tell me:", "Short question:", "Hello there,", "Tell me please:", "Next question:",
)  # fmt: skip
SUFFIXES = (
    "please", "thanks", "thank you", "in short", "briefly", "exactly", "then", "by the way",
    "in simple words", "for me", "please tell me", "today", "again", "really",
)  # fmt: skip
# Only for what begins like a question ("what is ...", "how do I ...").
QUESTION_PREFIXES = (
    "Can you tell me", "Could you tell me", "Tell me", "Please tell me", "I want to know",
    "I would like to know", "Do you know", "Explain to me", "I wonder", "Could you explain",
    "I need to know", "Can you explain", "I have a question:", "Let me ask:",
)  # fmt: skip

# A question of one shape may be asked in every other form of that shape.
DEFINITION_INPUT = (
    r"what(?:'s| is| are) (?P<x>.+)", r"explain (?P<x>.+)", r"tell me about (?P<x>.+)",
    r"describe (?P<x>.+)", r"what does (?P<x>.+) (?:mean|do)", r"explain what (?P<x>.+) is",
    r"how (?:do|does) (?P<x>.+) work", r"what (?:is|are) (?P<x>.+) (?:used|good|made) (?:for|of)",
    r"do you know what (?P<x>.+) (?:is|are)", r"why use (?P<x>.+)", r"define (?P<x>.+)",
)  # fmt: skip
DEFINITION_FORMS = (
    "What is {x}?", "Explain {x}", "Tell me about {x}", "What does {x} mean?", "What's {x}?",
    "Describe {x}", "Define {x}", "What do you know about {x}?", "Can you explain {x}?",
    "I want to learn about {x}", "Give me some information about {x}", "Tell me more about {x}",
    "What can you tell me about {x}?", "I do not understand {x}", "Please explain {x} to me",
    "What should I know about {x}?", "I have never heard of {x}", "{x}, what is that?",
    "What exactly is {x}?", "I have a question about {x}", "Say something about {x}",
    "Give a short explanation of {x}", "Could you describe {x}?", "What is meant by {x}?",
    "How does {x} work?", "Can you explain how {x} works?", "What is {x} for?", "Do you know {x}?",
    "What is the point of {x}?", "What is special about {x}?", "Why do people use {x}?",
    "Explain to me what {x} is", "Why is {x} useful?", "Could you say what {x} is?",
    "What is the use of {x}?", "Who can explain {x}?", "I would like to understand {x}",
    "What is {x} used for?", "I want to know what {x} is", "Explain {x} in simple words",
)  # fmt: skip
HOW_INPUT = (
    r"how (?:do|can|should|could|would) (?:i|you|we|one) (?P<x>.+)", r"how to (?P<x>.+)",
    r"show me how to (?P<x>.+)", r"tell me how to (?P<x>.+)", r"explain how to (?P<x>.+)",
)  # fmt: skip
HOW_FORMS = (
    "How do I {x}?", "How can I {x}?", "How to {x}", "How do you {x}?", "Show me how to {x}",
    "Tell me how to {x}", "Explain how to {x}", "What is the way to {x}?", "I want to {x}",
    "How should I {x}?", "Is there a way to {x}?", "I need to {x}", "Help me to {x}",
    "How could I {x}?", "What is the best way to {x}?", "I would like to {x}", "How does one {x}?",
    "What do I have to do to {x}?", "I am trying to {x}", "Which steps do I need to {x}?",
)  # fmt: skip
WHY_INPUT = (
    r"why (?P<v>do|does|is|are|can|should|must) (?P<x>.+)",
    r"what is the reason why (?P<v>do|does|is|are) (?P<x>.+)",
)
WHY_FORMS = (
    "Why {v} {x}?", "Tell me why {v} {x}", "Why exactly {v} {x}?", "How come {v} {x}?",
    "For what reason {v} {x}?", "Explain why {v} {x}", "What is the reason, why {v} {x}?",
)  # fmt: skip
CAN_INPUT = (r"(?P<v>can|could|may|should|must) (?P<s>i|we|you|it) (?P<x>.+)",)
CAN_FORMS = (
    "Is it possible to {x}?", "{v} {s} {x}?", "Is there a way to {x}?", "Am I able to {x}?",
    "I want to {x}, is that possible?", "How can {s} {x}?", "I would like to {x}",
    "Would it be possible to {x}?", "Do you know if {s} {v} {x}?", "Tell me if {s} {v} {x}",
)  # fmt: skip
DOES_INPUT = (r"(?P<v>does|is|are|do) (?P<s>it|the \w+|you|rkllm|this) (?P<x>.+)",)
DOES_FORMS = (
    "{v} {s} {x}?", "{v} {s} really {x}?", "I wonder, {v} {s} {x}?", "{v} {s} also {x}?",
    "Do you know, {v} {s} {x}?", "Tell me, {v} {s} {x}?", "So {v} {s} {x}?",
)  # fmt: skip
FIND_INPUT = (
    r"(?:name|list|say|tell me|which are|what are|give me) (?P<x>(?:the|three|all|some|a few) .+)",
    r"do you know (?P<x>the .+)", r"(?:what|which \w+) is (?P<x>the (?:capital|\w+est) .+)",
)  # fmt: skip
FIND_FORMS = (
    "Name {x}", "List {x}", "Tell me {x}", "Give me {x}", "Can you name {x}?", "Say {x}",
    "What would be {x}?", "Do you know {x}?", "I am looking for {x}", "Could you list {x}?",
    "I would like to know {x}", "Please tell me {x}", "I forgot {x}", "Let me know {x}",
)  # fmt: skip
SHAPES = (
    (FIND_INPUT, FIND_FORMS), (DEFINITION_INPUT, DEFINITION_FORMS), (HOW_INPUT, HOW_FORMS),
    (WHY_INPUT, WHY_FORMS), (CAN_INPUT, CAN_FORMS), (DOES_INPUT, DOES_FORMS),
)  # fmt: skip

# Words that may stand for each other inside one question.
SYNONYMS = (
    ("show", "list", "display"), ("start", "begin", "launch"), ("stop", "halt", "end", "abort"),
    ("fast", "quick"), ("quickly", "fast"), ("fix", "solve", "repair"), ("make", "create", "build"),
    ("need", "require"), ("get", "obtain", "receive"), ("delete", "remove"), ("big", "large"),
    ("biggest", "largest"), ("picture", "image"), ("pictures", "images"), ("error", "problem"),
    ("answer", "reply", "response"), ("answers", "replies", "responses"), ("choose", "select", "pick"),
    ("library", "package"), ("computer", "PC", "machine"), ("program", "app"), ("use", "work with"),
    ("help", "assist"), ("works", "functions"), ("many", "lots of"), ("important", "relevant"),
    ("called", "named"), ("called", "known as"), ("kind", "type", "sort"), ("town", "city"),
    ("made", "built", "created"), ("fall", "drop"), ("folder", "directory"), ("length", "size"),
    ("maximum", "max"), ("limit", "restrict"), ("set", "change"), ("set", "define"),
    ("pass", "give", "hand over"), ("write", "compose"), ("say", "tell"), ("story", "tale"),
    ("earth", "world"), ("tall", "high"), ("tallest", "highest"), ("sea", "ocean"), ("happy", "glad"),
    ("sad", "unhappy"), ("tired", "sleepy"), ("smart", "clever"), ("talk", "speak", "chat"),
    ("trained", "taught"), ("run", "execute"), ("keep", "save", "store"), ("meaning", "sense"),
    ("difference", "distinction"), ("compare", "contrast"), ("memory", "RAM"), ("code", "program"),
    ("possible", "allowed"), ("cannot", "can not", "can't"), ("is not", "isn't"), ("do not", "don't"),
    ("what is", "what's"), ("who is", "who's"), ("I am", "I'm"), ("want to", "would like to"),
    ("why", "how come"), ("needed", "required"), ("supported", "possible"), ("slow", "not fast"),
    ("do I", "can I", "do you", "should I"), ("does it", "can it"), ("handle", "deal with"),
    ("used for", "good for"), ("find", "look for"), ("reason", "cause"), ("wrong", "bad"),
)  # fmt: skip

# Words a hurried user leaves out.
DROPPABLE = frozenset(
    "a an the is are do does of to in on for me my i you it this that can with and please "
    "what tell about own there which".split()
)
# Parts of made-up system prompts, so that an unseen one is nothing special.
SYSTEM_ROLES = (
    "a helpful assistant", "a friendly helper", "an expert", "a teacher", "a small model",
    "a chat bot", "an AI", "a polite guide", "a demo", "a language model", "a patient tutor",
    "a digital assistant", "an AI assistant on a small computer", "a good listener",
)  # fmt: skip
SYSTEM_RULES = (
    "Answer in one sentence.", "Be brief.", "Be polite.", "Use simple words.", "Be precise.",
    "Do not lie.", "Keep your answers short.", "Help the user.", "Answer each question.",
    "Stay calm and friendly.", "Always tell the truth.", "Speak clearly.", "Use plain English.",
    "Give correct answers.", "Think before you answer.", "Answer the user in a kind way.",
    "Explain things so that a child understands them.", "Do not make things up.",
    "Never be rude.", "Write good answers.", "Respond to the question.", "Stick to the facts.",
)  # fmt: skip
SYSTEM_OPENINGS = ("You are", "Act as", "You are working as", "Your role is", "Be", "You play")
