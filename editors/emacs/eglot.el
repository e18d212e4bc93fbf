(add-to-list 'load-path "~/.emacs.d/modelfile-lint")
(require 'modelfile-mode)
(add-hook 'modelfile-mode-hook #'eglot-ensure)
