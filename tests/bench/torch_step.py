"""Milliseconds of a step of SGD in PyTorch, one thread: the network of `bench cnn64`, (8,4,2,3), width 64, batch 128."""
import statistics
import sys
import time

try:
    import torch
except ImportError:
    sys.exit(3)

V, S, L, H, BATCH, STEPS, PASSES = 8, 2, 3, 64, 128, 200, 7

torch.set_num_threads(1)
torch.manual_seed(1)
layers = []
for layer in range(L):
    layers += [torch.nn.Conv1d(V if layer == 0 else H, H, S, stride=S), torch.nn.ReLU()]
net = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(H, V))
optimiser = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
loss_of = torch.nn.CrossEntropyLoss()
tokens, labels = torch.randint(V, (BATCH, S**L)), torch.randint(V, (BATCH,))
x = torch.nn.functional.one_hot(tokens, V).float().transpose(1, 2).contiguous()

times = []
for turn in range(PASSES + 1):
    start = time.perf_counter()
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss_of(net(x), labels).backward()
        optimiser.step()
    if turn > 0:
        times.append((time.perf_counter() - start) / STEPS)
print(1e3 * statistics.median(times))
