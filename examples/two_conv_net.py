"""Two convolutions and two linear layers, trained by SGD with momentum on the embedded digits.

Run: ``python examples/two_conv_net.py``.
"""

import taeda as torch
import taeda.nn as nn
import taeda.nn.functional as F
import taeda.optim as optim
from taeda.data import DataLoader, TensorDataset
from taeda.vision.datasets import Digits


class Net(nn.Module):
    """For images of 10 x 10: two unpadded 3 x 3 convolutions leave 64 maps of 6 x 6."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.fc1 = nn.Linear(64 * 6 * 6, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = x.view(-1, 6 * 6 * 64)
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)


def images(train):
    """Return the digits as a TensorDataset of 1 x 10 x 10 images, one pixel of margin around 8 x 8."""
    digits = Digits(train=train)
    x = digits.data.reshape(-1, 1, 8, 8).float() / digits.data.max().item()
    return TensorDataset(F.pad(x, (1, 1, 1, 1)), digits.targets)


def main(epochs=10):
    """Train, print each epoch's mean loss, and return the losses and the accuracy on held-out images."""
    torch.manual_seed(0)
    trainloader = DataLoader(images(train=True), batch_size=32, shuffle=True)
    testset = images(train=False)
    net = Net()
    # CrossEntropyLoss takes log_softmax once more; of what is already normalised that is the same.
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for epoch in range(epochs):
        running_loss = 0.0
        for inputs, labels in trainloader:
            optimizer.zero_grad()
            loss = criterion(net(inputs), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        losses.append(running_loss / len(trainloader))
        print(f"Epoch {epoch + 1}, loss: {losses[-1]:.4f}")
    x, y = testset.tensors
    with torch.no_grad():
        accuracy = (net(x).argmax(1) == y).float().mean().item()
    print(f"accuracy on {len(y)} held-out images: {accuracy:.4f}")
    return {"losses": losses, "accuracy": accuracy}


if __name__ == "__main__":
    main()
