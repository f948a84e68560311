"""The people of the lists: who they are, how they come in and leave, and what is asked of them.

pages      a list's people, its growth, and its file
person     one of them: what happened, and what can be done
importing  a file on its way in, step by step
segments   saved rules, with how many they take
bounces    what came back, as text, and taking it back
forms      sign-up forms, their code and how they look
showing    what all of these share
"""
