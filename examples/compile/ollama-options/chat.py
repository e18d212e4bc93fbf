import ollama

model = "llama3.2:3b"

messages = [
    {
        "role": "system",
        "content": (
            "You are a ship's cook.\n"
            "Answer in \"pirate\"."
        ),
    },
    {
        "role": "user",
        "content": "Hungry?",
    },
    {
        "role": "assistant",
        "content": "Arr.",
    },
    {
        "role": "user",
        "content": "Hello",
    },
]

options = {
    "num_ctx": 262144,
    "temperature": 0.2,
    "stop": [
        "###",
    ],
}

response = ollama.chat(model=model, messages=messages, options=options)
print(response["message"]["content"])
